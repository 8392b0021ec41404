#include "modes.h"

#include <string.h>

struct text_out {
    uint8_t *at;
};

static void put(struct text_out *out, const char *text)
{
    size_t length = strlen(text);
    memcpy(out->at, text, length);
    out->at += length;
}

static void put_number(struct text_out *out, uint32_t number)
{
    char digits[11] = "";
    char *at = digits + sizeof digits - 1;
    do {
        *--at = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    put(out, at);
}

/* One sequence with all modes of the kind that are on, or off. */
static void put_modes(struct text_out *out, const struct modes *modes, bool private, bool on)
{
    const char *before = private ? "\033[?" : "\033[";
    bool any = false;
    for (size_t i = 0; i < MODES_COUNT; i++) {
        if (modes_table[i].private != private || (modes->set >> i & 1u) != on)
            continue;
        put(out, any ? ";" : before);
        put_number(out, modes_table[i].number);
        any = true;
    }
    if (any)
        put(out, on ? "h" : "l");
}

static void put_private(struct text_out *out, uint16_t number)
{
    if (!number)
        return;
    put(out, "\033[?");
    put_number(out, number);
    put(out, "h");
}

static void put_color(struct text_out *out, unsigned what, uint32_t color)
{
    if (!color)
        return;
    put(out, ";");
    if (color >> 24 == 1) {
        unsigned index = color & 0xf;
        put_number(out, what - 8 + index % 8 + (index < 8 ? 0 : 60));
        return;
    }
    put_number(out, what);
    if (color >> 24 == 5) {
        put(out, ":5:");
        put_number(out, color & 0xff);
        return;
    }
    put(out, ":2:");
    for (int shift = 16; shift >= 0; shift -= 8) {
        put(out, ":");
        put_number(out, color >> shift & 0xff);
    }
}

static void put_look(struct text_out *out, const struct look *look)
{
    put(out, "\033[0");
    for (unsigned i = 1; i < 10; i++) {
        if (!(look->attributes >> i & 1u))
            continue;
        put(out, ";");
        put_number(out, i);
    }
    if (look->underline) {
        put(out, ";4:");
        put_number(out, look->underline);
    }
    if (look->overline)
        put(out, ";53");
    put_color(out, 38, look->foreground);
    put_color(out, 48, look->background);
    put_color(out, 58, look->line);
    put(out, "m");
}

static void put_charset(struct text_out *out, unsigned which, uint8_t final)
{
    char sequence[] = {'\033', "()*+"[which], (char)final, 0};
    put(out, sequence);
}

static void put_saved(struct text_out *out, const struct saved *saved)
{
    put_look(out, &saved->look);
    put_charset(out, 0, saved->charset);
    put(out, "\0337");
}

static void put_charsets(struct text_out *out, const struct modes *modes)
{
    static const char *const shifts[] = {"\017", "\016", "\033n", "\033o"};
    for (unsigned i = 0; i < 4; i++)
        put_charset(out, i, modes->charsets[i]);
    put(out, shifts[modes->charset]);
}

static void put_region(struct text_out *out, struct region region)
{
    put(out, "\033[");
    put_number(out, region.top);
    if (region.bottom) {
        put(out, ";");
        put_number(out, region.bottom);
    }
    put(out, "r");
}

static void put_title(struct text_out *out, const struct modes *modes)
{
    if (!modes->titled)
        return;
    put(out, "\033]2;");
    memcpy(out->at, modes->title, modes->title_length);
    out->at += modes->title_length;
    put(out, "\033\\");
}

/* What follows is the rest of a sequence without its beginning: one that has no effect begins here. */
static void put_parser(struct text_out *out, const struct escape *escape)
{
    static const char *const beginnings[] = {
        [ESCAPE_GROUND] = "",
        [ESCAPE_BEGUN] = "\033 ",
        [ESCAPE_CSI] = "\033[0<",
        [ESCAPE_CSI_IGNORED] = "\033[0<",
        [ESCAPE_OSC] = "\033]65535;",
        [ESCAPE_STRING] = "\033^",
    };
    put(out, beginnings[escape->state]);
}

size_t modes_write(const struct modes *modes, const struct escape *escape, uint8_t text[MODES_TEXT_MAX])
{
    struct text_out out = {text};
    /* CAN ends what the terminal may be in the middle of. The main screen's cursor stands at the bottom, since so much
     * has passed. */
    put(&out, "\030\033[?1047l\033[!p\033[?2026l\033[2J");
    put_region(&out, modes->regions[0]);
    put(&out, "\033[999;1H");
    put_saved(&out, &modes->saved[0]);
    put(&out, "\033[?1047h\033[0m\033[2J\033[H");
    put_region(&out, modes->regions[1]);
    put_saved(&out, &modes->saved[1]);
    if (!modes->alternate)
        put(&out, "\033[?1047l");
    put(&out, "\033[?1000;1006l");
    put_private(&out, modes->mouse);
    put_private(&out, modes->mouse_format);
    put(&out, modes->keypad ? "\033=" : "\033>");
    put_modes(&out, modes, false, true);
    put_modes(&out, modes, false, false);
    put_modes(&out, modes, true, true);
    put_modes(&out, modes, true, false);
    put_charsets(&out, modes);
    put(&out, "\033[");
    put_number(&out, modes->cursor_style);
    put(&out, " q");
    put_title(&out, modes);
    put(&out, modes->alternate ? "\033[H" : "\033[999;1H");
    put_look(&out, &modes->look);
    put_parser(&out, escape);
    return (size_t)(out.at - text);
}
