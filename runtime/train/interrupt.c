// Interrupt: see interrupt.h.
#include "runtime/train/interrupt.h"
#include "runtime/base/clock.h"

// Set by a signal handler, which can reach nothing else.
static volatile sig_atomic_t interrupted;

static double interrupted_at; // the handler's own

// One request often comes twice, since `timeout` and shells signal a process and then its group: what follows within a second is the
// same request.
static void on_signal(int signal_number) {
    double now = clock_seconds();
    if (!interrupted) {
        interrupted_at = now;
        interrupted = 1;
        return;
    }
    if (now - interrupted_at > 1) {
        signal(signal_number, SIG_DFL);
        raise(signal_number);
    }
}

void interrupt_catch(InterruptHandlers *old) {
    interrupted = 0;
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, &old->interrupt);
    sigaction(SIGTERM, &action, &old->terminate);
}

void interrupt_restore(const InterruptHandlers *old) {
    sigaction(SIGINT, &old->interrupt, NULL);
    sigaction(SIGTERM, &old->terminate, NULL);
}

bool interrupt_came(void) { return interrupted != 0; }

const volatile sig_atomic_t *interrupt_flag(void) { return &interrupted; }
