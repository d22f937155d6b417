// What file.c and folder.c have in common.
#pragma once
#include "runtime/base/diag.h"

// Counts a call for file_fail_at; true, with errno set, where it must fail.
bool file_must_fail(void);
// Always false: reports "PATH: cannot WHAT: REASON" with errno's reason.
bool file_failed(Diag *diag, const char *path, const char *what);
