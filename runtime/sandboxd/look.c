/* SGR: how characters look from here on, as xterm.js understands it. */
#include "modes.h"

/* The first 16 are apart from the same of 256: bold makes only those bright. */
#define COLOR_BASIC (1u << 24)
#define COLOR_INDEX (5u << 24)
#define COLOR_RGB (2u << 24)
#define UNDERLINES 5u /* styles */

static uint32_t *color_of(struct look *look, uint16_t parameter)
{
    return parameter == 38 ? &look->foreground : parameter == 48 ? &look->background : &look->line;
}

static unsigned parts_after(const struct escape *escape, unsigned at)
{
    unsigned count = 0;
    while (at + 1 + count < escape->count && escape->parts >> (at + 1 + count) & 1u)
        count++;
    return count;
}

static uint32_t rgb(const uint16_t *values, unsigned count)
{
    uint32_t color = COLOR_RGB;
    for (unsigned i = 0; i < 3; i++)
        color |= (i < count ? values[i] & 0xffu : 0u) << (16 - 8 * i);
    return color;
}

/* 38:5:n, 38:2:space:r:g:b; `values` are those after 38. */
static void color_of_parts(uint32_t *color, const uint16_t *values, unsigned count)
{
    if (values[0] == 5 && count > 1)
        *color = COLOR_INDEX | (values[1] & 0xff);
    else if (values[0] == 2)
        *color = rgb(values + 2, count > 2 ? count - 2 : 0);
}

/* 38;5;n, 38;2;r;g;b. Returns how many parameters after 38 belong to it. */
static unsigned color_of_list(uint32_t *color, const uint16_t *values, unsigned count)
{
    if (count && values[0] == 5) {
        *color = COLOR_INDEX | (count > 1 ? values[1] & 0xffu : 0u);
        return 2;
    }
    if (count && values[0] == 2) {
        *color = rgb(values + 1, count - 1);
        return 4;
    }
    return 1;
}

static unsigned change_color(struct look *look, const struct escape *escape, unsigned at)
{
    uint32_t *color = color_of(look, escape->parameters[at]);
    unsigned parts = parts_after(escape, at);
    if (parts) {
        color_of_parts(color, escape->parameters + at + 1, parts);
        return 0;
    }
    return color_of_list(color, escape->parameters + at + 1, escape->count - at - 1);
}

static void set_underline(struct look *look, const struct escape *escape, unsigned at)
{
    uint16_t style = parts_after(escape, at) ? escape->parameters[at + 1] : 1;
    look->underline = (uint8_t)(style > UNDERLINES ? 1 : style);
}

static void clear(struct look *look, unsigned first, unsigned second)
{
    look->attributes &= (uint16_t)~(1u << first | 1u << second);
}

static void change(struct look *look, const struct escape *escape, unsigned at)
{
    uint16_t what = escape->parameters[at];
    if (what == 0)
        *look = (struct look){0};
    else if (what == 4)
        set_underline(look, escape, at);
    else if (what < 10 && what != 6)
        look->attributes |= (uint16_t)(1u << what);
    else if (what == 21)
        look->underline = 2;
    else if (what == 22)
        clear(look, 1, 2);
    else if (what == 24)
        look->underline = 0;
    else if (what >= 23 && what <= 29 && what != 26)
        clear(look, what - 20u, what - 20u);
    else if (what >= 30 && what <= 37)
        look->foreground = COLOR_BASIC | (what - 30u);
    else if (what == 39)
        look->foreground = 0;
    else if (what >= 40 && what <= 47)
        look->background = COLOR_BASIC | (what - 40u);
    else if (what == 49)
        look->background = 0;
    else if (what == 53 || what == 55)
        look->overline = what == 53;
    else if (what == 59)
        look->line = 0;
    else if (what >= 90 && what <= 97)
        look->foreground = COLOR_BASIC | (what - 90u + 8u);
    else if (what >= 100 && what <= 107)
        look->background = COLOR_BASIC | (what - 100u + 8u);
}

void look_change(struct look *look, const struct escape *escape)
{
    for (unsigned at = 0; at < escape->count; at++) {
        uint16_t what = escape->parameters[at];
        if (escape->parts >> at & 1u)
            continue;
        if (what == 38 || what == 48 || what == 58)
            at += change_color(look, escape, at);
        else
            change(look, escape, at);
    }
}
