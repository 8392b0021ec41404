/* Cuts terminal output into what is drawn and escape sequences, as xterm.js does. Pure: no I/O, no allocation, any bytes. */
#ifndef SANDBOXD_ESCAPE_H
#define SANDBOXD_ESCAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PARAMETERS_MAX 32u /* of one sequence; more are dropped */
#define TITLE_MAX 255u /* bytes; the rest is dropped */

struct modes;

enum escape_state {
    ESCAPE_GROUND, /* text is drawn */
    ESCAPE_BEGUN, /* after ESC, and intermediates */
    ESCAPE_CSI,
    ESCAPE_CSI_IGNORED, /* malformed: nothing follows from it */
    ESCAPE_OSC,
    ESCAPE_STRING, /* DCS, SOS, PM, APC: nothing of it is kept */
};

struct escape {
    uint8_t state;
    bool c2; /* the last byte was 0xC2: with the next it may be one of C1 */
    uint8_t prefix; /* of CSI: one of < = > ?, or 0 */
    uint8_t intermediate; /* the last one, or 0 */
    uint8_t count; /* of parameters; the last may have no digit so far */
    uint32_t parts; /* bit n: parameter n is part of the one before it (a colon) */
    uint16_t parameters[PARAMETERS_MAX];
    bool begun; /* of CSI: something has come; of OSC: its number is complete */
    uint32_t osc; /* number of the OSC */
    uint8_t text_length;
    uint8_t text[TITLE_MAX];
};

/* Takes note in `modes` of what these bytes change. */
void escape_feed(struct escape *escape, struct modes *modes, const uint8_t *data, size_t length);

/* Whether the next byte begins something new, unless it goes on with a character of UTF-8. */
bool escape_at_rest(const struct escape *escape);

#endif
