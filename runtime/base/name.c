// Name: see name.h.
#include "runtime/base/name.h"
#include "runtime/base/text.h"

const char *name_mistake(const char *name) {
    size_t length = strlen(name);
    if (length == 0)
        return "a name may not be empty";
    if (length > NAME_LENGTH_MAX)
        return "a name may not be longer than 200 bytes";
    if (name[0] == '.')
        return "a name may not begin with a dot";
    if (strstr(name, ".."))
        return "a name may not hold two dots in a row";
    for (size_t at = 0, size; at < length; at += size) {
        size = text_utf8_size(name + at, length - at);
        if (size == 0)
            return "a name must be UTF-8";
        if (name[at] == '/')
            return "a name may not hold '/'";
        if (name[at] == '\\')
            return "a name may not hold '\\'";
        bool is_late_control = size == 2 && (unsigned char)name[at] == 0xC2 && (unsigned char)name[at + 1] < 0xA0;
        if (((unsigned char)name[at] < ' ') || name[at] == 0x7F || is_late_control)
            return "a name may not hold control characters";
    }
    return NULL;
}
