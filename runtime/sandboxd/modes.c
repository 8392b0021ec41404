#include "modes.h"

#include <string.h>

/* Modes that are on or off. 2026 (hold back drawing) is off wherever output is cut. */
const struct mode modes_table[MODES_COUNT] = {
    {1, true, false}, /* cursor keys send what applications want */
    {5, true, false}, /* reverse video */
    {6, true, false}, /* rows count from the top of the region */
    {7, true, true}, /* wrap at the right margin */
    {25, true, true}, /* the cursor is shown */
    {45, true, false}, /* wrap backwards */
    {1004, true, false}, /* tell of focus */
    {1007, true, false}, /* the wheel sends cursor keys */
    {2004, true, false}, /* bracketed paste */
    {2031, true, false}, /* tell of colour schemes */
    {4, false, false}, /* insert */
    {20, false, false}, /* a line feed returns as well */
};
static const struct region whole = {1, 0};

static void reset_charsets(struct modes *modes)
{
    memset(modes->charsets, 'B', sizeof modes->charsets);
    modes->charset = 0;
}

void modes_reset(struct modes *modes)
{
    memset(modes, 0, sizeof *modes);
    for (size_t i = 0; i < MODES_COUNT; i++)
        modes->set |= (uint32_t)modes_table[i].initially << i;
    modes->regions[0] = modes->regions[1] = whole;
    reset_charsets(modes);
    modes->saved[0].charset = modes->saved[1].charset = 'B';
}

static void set_mode(struct modes *modes, uint16_t number, bool private, bool on)
{
    for (size_t i = 0; i < MODES_COUNT; i++)
        if (modes_table[i].number == number && modes_table[i].private == private)
            modes->set = (modes->set & ~(1u << i)) | (uint32_t)on << i;
}

static void save(struct modes *modes)
{
    struct saved *saved = &modes->saved[modes->alternate];
    saved->look = modes->look;
    saved->charset = modes->charsets[modes->charset];
}

static void restore(struct modes *modes)
{
    const struct saved *saved = &modes->saved[modes->alternate];
    modes->look = saved->look;
    modes->charsets[modes->charset] = saved->charset;
}

/* DECSTR, as xterm.js does it. */
static void reset_softly(struct modes *modes)
{
    for (size_t i = 0; i < MODES_COUNT; i++)
        if (modes_table[i].number != 20)
            set_mode(modes, modes_table[i].number, modes_table[i].private, modes_table[i].initially);
    modes->keypad = false;
    modes->regions[modes->alternate] = whole;
    modes->look = (struct look){0};
    reset_charsets(modes);
    save(modes);
}

static void use_alternate(struct modes *modes, bool alternate)
{
    if (modes->alternate != alternate)
        modes->regions[1] = whole;
    modes->alternate = alternate;
}

static void set_private(struct modes *modes, uint16_t number, bool on)
{
    switch (number) {
    case 1048:
        on ? save(modes) : restore(modes);
        break;
    case 1049:
        if (on)
            save(modes);
        use_alternate(modes, on);
        if (!on)
            restore(modes);
        break;
    case 47:
    case 1047:
        use_alternate(modes, on);
        break;
    case 9:
    case 1000:
    case 1002:
    case 1003:
        modes->mouse = on ? number : 0;
        break;
    case 1006:
    case 1016:
        modes->mouse_format = on ? number : 0;
        break;
    case 66:
        modes->keypad = on;
        break;
    default:
        set_mode(modes, number, true, on);
    }
}

static void set_modes(struct modes *modes, const struct escape *escape, bool on)
{
    for (unsigned i = 0; i < escape->count; i++) {
        if (escape->prefix)
            set_private(modes, escape->parameters[i], on);
        else
            set_mode(modes, escape->parameters[i], false, on);
    }
}

static void set_region(struct modes *modes, const struct escape *escape)
{
    uint16_t top = escape->parameters[0] ? escape->parameters[0] : 1;
    uint16_t bottom = escape->count > 1 ? escape->parameters[1] : 0;
    if (!bottom || bottom > top)
        modes->regions[modes->alternate] = (struct region){top, bottom};
}

void modes_csi(struct modes *modes, const struct escape *escape, uint8_t final)
{
    bool plain = !escape->prefix && !escape->intermediate;
    bool private = escape->prefix == '?' && !escape->intermediate;
    if ((final == 'h' || final == 'l') && (plain || private))
        set_modes(modes, escape, final == 'h');
    else if (final == 'm' && plain)
        look_change(&modes->look, escape);
    else if (final == 's' && plain)
        save(modes);
    else if (final == 'u' && plain)
        restore(modes);
    else if (final == 'r' && plain)
        set_region(modes, escape);
    else if (final == 'p' && !escape->prefix && escape->intermediate == '!')
        reset_softly(modes);
    else if (final == 'q' && !escape->prefix && escape->intermediate == ' ')
        modes->cursor_style = escape->parameters[0] <= 6 ? (uint8_t)escape->parameters[0] : 0;
}

static void reset_but_title(struct modes *modes)
{
    struct modes before = *modes;
    modes_reset(modes);
    modes->titled = before.titled;
    modes->title_length = before.title_length;
    memcpy(modes->title, before.title, sizeof before.title);
}

static void designate(struct modes *modes, uint8_t which, uint8_t final)
{
    static const char introducers[] = "()*+ -."; /* those of G1 and G2 for sets of 96 as well */
    const char *found = which == ' ' ? NULL : strchr(introducers, which);
    if (found)
        modes->charsets[(found - introducers) & 3] = final;
}

void modes_escape(struct modes *modes, uint8_t intermediate, uint8_t final)
{
    if (intermediate) {
        designate(modes, intermediate, final);
        return;
    }
    switch (final) {
    case '7':
        save(modes);
        break;
    case '8':
        restore(modes);
        break;
    case '=':
    case '>':
        modes->keypad = final == '=';
        break;
    case '~':
        modes->charset = 1;
        break;
    case 'n':
    case '}':
        modes->charset = 2;
        break;
    case 'o':
    case '|':
        modes->charset = 3;
        break;
    case 'c':
        reset_but_title(modes);
        break;
    default:
        break;
    }
}

void modes_shift(struct modes *modes, uint8_t charset)
{
    modes->charset = charset;
}

/* What was too long may end in the middle of a character. */
static size_t whole_characters(const uint8_t *text, size_t length)
{
    size_t begin = length;
    while (begin && (text[begin - 1] & 0xc0) == 0x80)
        begin--;
    if (!begin || text[begin - 1] < 0xc0)
        return length;
    uint8_t lead = text[begin - 1];
    size_t wanted = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
    return length - begin < wanted ? begin - 1 : length;
}

void modes_title(struct modes *modes, const uint8_t *text, size_t length)
{
    size_t end = length == TITLE_MAX ? whole_characters(text, length) : length;
    memset(modes->title, 0, sizeof modes->title);
    memcpy(modes->title, text, end);
    modes->title_length = (uint8_t)end;
    modes->titled = true;
}
