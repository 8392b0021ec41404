#include "escape.h"

#include <string.h>

#include "modes.h"

#define BEL 0x07
#define SO 0x0e
#define SI 0x0f
#define CAN 0x18
#define SUB 0x1a
#define ESC 0x1b
#define LEAD 0xc2 /* U+0080 to U+009F, C1, are this and a second byte of the same number */
#define OSC_UNKNOWN UINT32_MAX

bool escape_at_rest(const struct escape *escape)
{
    return escape->state == ESCAPE_GROUND && !escape->c2;
}

/* Most of all output is text: this is what it costs. */
static const uint8_t *skip_text(const uint8_t *at, const uint8_t *end)
{
    static const bool telling[256] = {[SO] = true, [SI] = true, [ESC] = true, [LEAD] = true};
    while (end - at >= 4 && !(telling[at[0]] | telling[at[1]] | telling[at[2]] | telling[at[3]]))
        at += 4;
    while (at < end && !telling[*at])
        at++;
    return at;
}

static void begin(struct escape *escape, enum escape_state state)
{
    escape->state = (uint8_t)state;
    escape->prefix = escape->intermediate = 0;
    escape->count = 1;
    escape->parts = 0;
    escape->parameters[0] = 0;
    escape->begun = false;
    escape->osc = 0;
    escape->text_length = 0;
}

static void take_text(struct escape *escape, uint8_t byte)
{
    if (escape->text_length < TITLE_MAX)
        escape->text[escape->text_length++] = byte;
}

static void take_osc(struct escape *escape, uint8_t byte)
{
    if (escape->begun) {
        take_text(escape, byte);
    } else if (byte == ';') {
        escape->begun = true;
    } else if (byte >= '0' && byte <= '9' && escape->osc < 100000) {
        escape->osc = escape->osc * 10 + (byte - '0');
    } else {
        escape->osc = OSC_UNKNOWN;
    }
}

static void end_string(const struct escape *escape, struct modes *modes)
{
    if (escape->state == ESCAPE_OSC && escape->begun && (escape->osc == 0 || escape->osc == 2))
        modes_title(modes, escape->text, escape->text_length);
}

static void begin_parameter(struct escape *escape, bool part)
{
    if (escape->count <= PARAMETERS_MAX)
        escape->count++;
    if (escape->count > PARAMETERS_MAX)
        return;
    escape->parameters[escape->count - 1] = 0;
    if (part)
        escape->parts |= 1u << (escape->count - 1);
}

static void take_digit(struct escape *escape, uint8_t byte)
{
    if (escape->count > PARAMETERS_MAX)
        return;
    uint16_t *parameter = &escape->parameters[escape->count - 1];
    uint32_t value = *parameter * 10u + (byte - '0');
    *parameter = value < UINT16_MAX ? (uint16_t)value : UINT16_MAX;
}

static void end_csi(struct escape *escape, struct modes *modes, uint8_t final)
{
    if (escape->count > PARAMETERS_MAX)
        escape->count = PARAMETERS_MAX;
    if (escape->state == ESCAPE_CSI)
        modes_csi(modes, escape, final);
    escape->state = ESCAPE_GROUND;
}

/* Not a final byte. */
static void take_parameter(struct escape *escape, uint8_t byte)
{
    bool first = !escape->begun;
    escape->begun = true;
    if (byte <= 0x2f)
        escape->intermediate = byte;
    else if (first && byte >= 0x3c)
        escape->prefix = byte;
    else if (escape->intermediate || byte >= 0x3c)
        escape->state = ESCAPE_CSI_IGNORED;
    else if (byte == ';' || byte == ':')
        begin_parameter(escape, byte == ':');
    else
        take_digit(escape, byte);
}

static void take_csi(struct escape *escape, struct modes *modes, uint8_t byte)
{
    if (byte >= 0x40 && byte <= 0x7e)
        end_csi(escape, modes, byte);
    else if (byte >= 0x20 && byte <= 0x3f)
        take_parameter(escape, byte);
}

/* The second byte of an escape sequence, or what one of C1 stands for. False: it begins nothing. */
static bool introduces(struct escape *escape, uint8_t byte)
{
    switch (byte) {
    case '[':
        begin(escape, ESCAPE_CSI);
        return true;
    case ']':
        begin(escape, ESCAPE_OSC);
        return true;
    case 'P':
    case 'X':
    case '^':
    case '_':
        begin(escape, ESCAPE_STRING);
        return true;
    default:
        return false;
    }
}

static void take_escape(struct escape *escape, struct modes *modes, uint8_t byte)
{
    if (!escape->intermediate && introduces(escape, byte))
        return;
    if (byte >= 0x20 && byte <= 0x2f) {
        escape->intermediate = byte;
    } else if (byte >= 0x30 && byte <= 0x7e) {
        escape->state = ESCAPE_GROUND;
        modes_escape(modes, escape->intermediate, byte);
    }
}

static void take_c1(struct escape *escape, struct modes *modes, uint8_t byte)
{
    uint8_t same = (uint8_t)(byte - 0x40); /* as the second byte after ESC */
    end_string(escape, modes);
    escape->state = ESCAPE_GROUND;
    if (!introduces(escape, same))
        modes_escape(modes, 0, same);
}

/* Of ESC and CSI: control characters work inside them as well, and what is no ASCII ends them. */
static bool interrupts(struct escape *escape, struct modes *modes, uint8_t byte)
{
    if (byte == SO || byte == SI)
        modes_shift(modes, byte == SO ? 1 : 0);
    if (byte >= 0x80)
        escape->state = ESCAPE_GROUND;
    return byte < 0x20 || byte >= 0x7f;
}

static void take(struct escape *escape, struct modes *modes, uint8_t byte)
{
    if (escape->state < ESCAPE_CSI_IGNORED && interrupts(escape, modes, byte))
        return;
    switch ((enum escape_state)escape->state) {
    case ESCAPE_GROUND:
        break;
    case ESCAPE_BEGUN:
        take_escape(escape, modes, byte);
        break;
    case ESCAPE_CSI:
        take_csi(escape, modes, byte);
        break;
    case ESCAPE_CSI_IGNORED:
        if (byte >= 0x40 && byte <= 0x7e)
            escape->state = ESCAPE_GROUND;
        break;
    case ESCAPE_OSC:
        if (byte == BEL) {
            end_string(escape, modes);
            escape->state = ESCAPE_GROUND;
        } else if (byte >= 0x20 && byte != 0x7f) {
            take_osc(escape, byte);
        }
        break;
    case ESCAPE_STRING:
        break;
    }
}

static void take_anywhere(struct escape *escape, struct modes *modes, uint8_t byte)
{
    bool after_lead = escape->c2;
    escape->c2 = byte == LEAD;
    if (after_lead && byte >= 0x80 && byte <= 0x9f) {
        take_c1(escape, modes, byte);
        return;
    }
    if (after_lead)
        take(escape, modes, LEAD);
    if (byte == ESC) {
        end_string(escape, modes);
        begin(escape, ESCAPE_BEGUN);
    } else if (byte == CAN || byte == SUB) {
        escape->state = ESCAPE_GROUND;
    } else if (byte != LEAD) {
        take(escape, modes, byte);
    }
}

void escape_feed(struct escape *escape, struct modes *modes, const uint8_t *data, size_t length)
{
    const uint8_t *end = data + length;
    while (data < end) {
        if (escape_at_rest(escape))
            data = skip_text(data, end);
        if (data < end)
            take_anywhere(escape, modes, *data++);
    }
}
