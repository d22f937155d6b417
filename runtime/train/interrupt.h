// Interrupt: SIGINT and SIGTERM as a request to end well. The first one is only noted; a later one ends the process.
#pragma once
#include <signal.h>
#include <stdbool.h>

typedef struct {
    struct sigaction interrupt, terminate;
} InterruptHandlers;

void interrupt_catch(InterruptHandlers *old); // from now on, nothing noted yet
void interrupt_restore(const InterruptHandlers *old);
bool interrupt_came(void);
const volatile sig_atomic_t *interrupt_flag(void); // for those who look at it often
