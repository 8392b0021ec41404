#include "environment.h"

#include <string.h>
#include <unistd.h>

#include "loop.h"

#define ARENA_SIZE (4u << 20)

static struct {
    uint8_t *at, *end;
} arena;

static void *take(size_t size)
{
    size = (size + 7) & ~(size_t)7;
    if (!arena.at) {
        arena.at = pages_get(ARENA_SIZE);
        arena.end = arena.at ? arena.at + ARENA_SIZE : NULL;
    }
    if (size > (size_t)(arena.end - arena.at))
        return NULL;
    void *taken = arena.at;
    arena.at += size;
    return taken;
}

static char *join(const char *before, struct text text)
{
    size_t length = strlen(before);
    char *copy = take(length + text.length + 1);
    if (!copy)
        return NULL;
    memcpy(copy, before, length);
    if (text.length)
        memcpy(copy + length, text.data, text.length);
    copy[length + text.length] = 0;
    return copy;
}

static size_t name_length(const char *variable)
{
    return (size_t)(strchrnul(variable, '=') - variable);
}

static char **find(char **list, const char *name, size_t length)
{
    for (; *list; list++)
        if (!strncmp(*list, name, length) && (*list)[length] == '=')
            return list;
    return list;
}

const char *environment_get(char *const *envp, const char *name)
{
    size_t length = strlen(name);
    for (; *envp; envp++)
        if (!strncmp(*envp, name, length) && (*envp)[length] == '=')
            return *envp + length + 1;
    return NULL;
}

static bool set(char **list, char *variable)
{
    if (variable)
        *find(list, variable, name_length(variable)) = variable;
    return variable != NULL;
}

static bool set_missing(char **list, const char *name_and_equals, struct text value)
{
    size_t length = name_length(name_and_equals);
    char **place = find(list, name_and_equals, length);
    return *place || (*place = join(name_and_equals, value));
}

static struct text text_of(const char *string)
{
    return (struct text){(const uint8_t *)string, (uint32_t)strlen(string)};
}

static struct text either(struct text text, bool known, const char *otherwise)
{
    return known && text.length ? text : text_of(otherwise);
}

/* What belongs to sandboxd's own user must not follow a command that runs as another. */
static bool is_personal(const char *variable)
{
    static const char *const names[] = {"HOME=", "USER=", "LOGNAME=", "SHELL=", "MAIL="};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strncmp(variable, names[i], strlen(names[i])))
            return true;
    return false;
}

static void inherit(char **list, const struct identity *identity)
{
    for (char **variable = environ; *variable; variable++) {
        if (identity->other && is_personal(*variable))
            continue;
        char **place = find(list, *variable, name_length(*variable));
        if (!*place)
            *place = *variable;
    }
}

static bool log_in(char **list, const struct identity *identity, bool terminal)
{
    const struct account *account = &identity->account;
    const char *user = account->uid == 0 ? "root" : "user";
    return set_missing(list, "PATH=", text_of("/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")) &&
           set_missing(list, "HOME=", either(account->home, identity->known, "/")) &&
           set_missing(list, "USER=", either(account->name, identity->known, user)) &&
           set_missing(list, "SHELL=", either(account->shell, identity->known, "/bin/sh")) &&
           set_missing(list, "LANG=", text_of("C.UTF-8")) &&
           (!terminal || set_missing(list, "TERM=", text_of("xterm-256color")));
}

static size_t count(char **list)
{
    size_t length = 0;
    while (list[length])
        length++;
    return length;
}

static bool copy_fields(struct arguments *arguments, const struct command_line *command)
{
    struct fields fields = command->fields;
    struct field field;
    while (fields_next(&fields, &field) == FIELDS_MORE) {
        if (field.tag == TAG_ARG && !(arguments->argv[arguments->argc++] = join("", field.value)))
            return false;
        if (field.tag == TAG_ENV && !set(arguments->envp, join("", field.value)))
            return false;
    }
    return true;
}

bool arguments_build(struct arguments *arguments, const struct command_line *command, const struct identity *identity,
                     bool bare, bool terminal)
{
    size_t variables = command->variables + count(environ) + 8;
    arguments->argc = 0;
    arguments->argv = take((command->args + 1) * sizeof(char *));
    arguments->envp = take(variables * sizeof(char *));
    if (!arguments->argv || !arguments->envp || !copy_fields(arguments, command))
        return false;
    if (bare)
        return true;
    inherit(arguments->envp, identity);
    return log_in(arguments->envp, identity, terminal);
}
