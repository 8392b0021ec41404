#include "fields.h"

#include <string.h>

#include "bytes.h"

enum fields_state fields_next(struct fields *fields, struct field *field)
{
    if (fields->left == 0)
        return FIELDS_END;
    if (fields->left < FIELD_HEADER)
        return FIELDS_INVALID;
    uint32_t length = get_u32(fields->at + 1);
    if (length > fields->left - FIELD_HEADER)
        return FIELDS_INVALID;
    field->tag = fields->at[0];
    field->value.data = fields->at + FIELD_HEADER;
    field->value.length = length;
    fields->at += FIELD_HEADER + length;
    fields->left -= FIELD_HEADER + length;
    return FIELDS_MORE;
}

void write_bytes(struct writer *writer, enum tag tag, const void *data, size_t length)
{
    if (writer->full || (size_t)(writer->end - writer->at) < FIELD_HEADER + length) {
        writer->full = true;
        return;
    }
    writer->at[0] = (uint8_t)tag;
    put_u32(writer->at + 1, (uint32_t)length);
    if (length)
        memcpy(writer->at + FIELD_HEADER, data, length);
    writer->at += FIELD_HEADER + length;
}

void write_text(struct writer *writer, enum tag tag, const char *text)
{
    write_bytes(writer, tag, text, strlen(text));
}

void write_u16(struct writer *writer, enum tag tag, uint16_t value)
{
    uint8_t bytes[2];
    put_u16(bytes, value);
    write_bytes(writer, tag, bytes, sizeof bytes);
}

void write_u32(struct writer *writer, enum tag tag, uint32_t value)
{
    uint8_t bytes[4];
    put_u32(bytes, value);
    write_bytes(writer, tag, bytes, sizeof bytes);
}

void write_u64(struct writer *writer, enum tag tag, uint64_t value)
{
    uint8_t bytes[8];
    put_u64(bytes, value);
    write_bytes(writer, tag, bytes, sizeof bytes);
}
