/* What output has made of a terminal, apart from what is drawn: screen, modes, colours, character sets, title. Pure. */
#ifndef SANDBOXD_MODES_H
#define SANDBOXD_MODES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "escape.h"

#define MODES_TEXT_MAX 1024u /* what modes_write writes at most, in bytes */

#define MODES_COUNT 12u

extern const struct mode { /* those that are on or off */
    uint16_t number;
    bool private, initially;
} modes_table[MODES_COUNT];

struct region { /* rows that scroll; bottom 0: the last */
    uint16_t top, bottom;
};

struct look { /* of characters: SGR */
    uint16_t attributes; /* bit n: SGR n */
    uint8_t underline; /* 0: none; the style, as in SGR 4:n */
    bool overline;
    uint32_t foreground, background, line; /* 0: the default; else the kind, 1, 5 or 2, above 24 bits */
};

struct saved { /* with the cursor */
    struct look look;
    uint8_t charset; /* the final byte of its sequence */
};

struct modes {
    uint32_t set; /* a bit for each line of modes_table */
    bool alternate, keypad;
    uint16_t mouse, mouse_format; /* the private mode that is on; 0: none */
    struct region regions[2]; /* of the main and of the alternate screen */
    uint8_t charsets[4], charset; /* G0 to G3: the final byte of their sequence; which of them is in use */
    uint8_t cursor_style; /* DECSCUSR */
    struct look look;
    struct saved saved[2]; /* of both screens */
    bool titled;
    uint8_t title_length;
    uint8_t title[TITLE_MAX];
};

/* As a terminal is before any output. */
void modes_reset(struct modes *modes);

/* Called by the parser. */
void modes_csi(struct modes *modes, const struct escape *escape, uint8_t final);
void modes_escape(struct modes *modes, uint8_t intermediate, uint8_t final);
void modes_shift(struct modes *modes, uint8_t charset);
void modes_title(struct modes *modes, const uint8_t *text, size_t length);
/* SGR, in look.c. */
void look_change(struct look *look, const struct escape *escape);

/* Writes output that puts a terminal into these modes, whatever it was in before, with an empty screen, and its parser where
 * `escape` is. Returns its length: MODES_TEXT_MAX at most. */
size_t modes_write(const struct modes *modes, const struct escape *escape, uint8_t out[MODES_TEXT_MAX]);

#endif
