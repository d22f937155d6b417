// Session's parts: what the session_*.c files share. Only for them.
#pragma once
#include "runtime/session/session.h"
#include "runtime/vk/commands.h"

enum {
    UPLOAD_NUMBER = NUMBER_COUNT * ELEMENT_WORD, // in a slot's upload buffer: the numbers, the completion number, the feeds
    UPLOAD_FEEDS = 128,
    READBACK_STAMPS = 16, // in its readback buffer: the completion number, begin and end, the results, the profile
    READBACK_RESULTS = 64,
    STAGING_SIZE = 16 << 20,
    PROGRESS_WORD = sizeof(uint32_t), // a completion number
};

typedef struct PhaseState PhaseState;

// Results of a finished repetition that were not taken yet.
typedef struct Record Record;
struct Record {
    Record *next;
    PhaseState *phase;
    Moment moment;
    uint64_t tag;
    double seconds;
    const void **values; // given to the user
    void **storage;      // room for each of them
};

// A dispatch, or a part of one.
typedef struct {
    uint32_t dispatch;
    uint32_t base[3], groups[3];
    bool is_cut;
    double seconds; // a cautious guess
} Piece;

struct PhaseState {
    const ProgramEntry *entry;
    const ProgramPhase *phase;
    bool is_used; // its commands exist
    ARRAY(Piece) pieces;
    BindingSet *sets; // by dispatch
    ARRAY(Commands) segments;
    Commands *prefixes, *suffixes; // by slot
    uint64_t *feed_offsets;        // in the upload buffer, by feed
    uint64_t *result_offsets;      // in the readback buffer, by result: tensor, condition
    uint64_t profile_offset;       // there too
    Stamps *stamps;                // profile: begin and end of each dispatch
    double *seconds;               // profile: by dispatch, summed
    uint32_t runs;
    Record *spare; // records to be used again
};

typedef struct {
    Buffer *upload, *readback;
    Stamps *stamps; // NULL where the device has none
    PhaseState *phase;
    Moment moment;
    uint64_t tag, ticket;
    uint32_t number; // the completion number that it must end with
} Slot;

struct Session {
    Arena *arena;
    Device *device;
    const Program *program;
    SessionOptions options;
    DeviceModel model;
    bool is_lost;
    Buffer **memories;    // by Program.memories
    Pipeline **pipelines; // by Program.kernels; NULL where not used
    bool *kernels_cut;    // by Program.kernels
    Bindings *bindings;
    Queue *queue;
    Buffer *progress; // word 0: the running repetition's completion number; each segment hands it on to the next word
    ARRAY(PhaseState) phases;
    Slot *slots;
    uint32_t slot_count, first_slot, busy_slots; // a ring
    uint32_t submitted;
    Record *first_record, *last_record, *taken;
    uint32_t record_count;
    Commands errand;                   // recorded anew for each transfer and single dispatch
    Buffer *staging_up, *staging_down; // NULL where the memories are visible to the host
    Stamps *errand_stamps;
};

PipelineSource session_pipeline_source(const Session *session, uint32_t index); // of Program.kernels
bool session_is_used(const Session *session, const ProgramEntry *entry);
PhaseState *session_phase(Session *session, const ProgramPhase *phase); // NULL when it is not the session's or was not asked for

// session_record.c
void session_plan_pieces(Session *session, PhaseState *phase);
bool session_record_phase(Session *session, PhaseState *phase, Diag *diag);
void session_record_piece(Session *session, Commands commands, const PhaseState *phase, const Piece *piece);

// session_data.c: the errand waits for what is in flight, is recorded, and runs to its end.
bool session_errand_begin(Session *session, Diag *diag);
bool session_errand_run(Session *session, Diag *diag);
