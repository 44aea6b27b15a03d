/* SPDX-License-Identifier: MIT */
#include "template.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum node_kind {
    NODE_LITERAL,
    NODE_VALUE,
    NODE_TEXT,
    NODE_SECTION,  /* {{#name}} */
    NODE_INVERTED, /* {{^name}} */
    NODE_CONTENT,
    NODE_STYLE,
};

struct node {
    enum node_kind kind;
    const char *bytes; /* a literal, or a name with a NUL behind it */
    size_t length;     /* of a literal */
    size_t end;        /* of a section: the first node behind it */
};

struct template
{
    char *source; /* nodes point into it */
    struct node *nodes;
    size_t count;
    size_t room;
    const char *list; /* borrowed from the scope */
};

/* A section that hasn't ended yet. */
struct open_section {
    size_t node;
    int line;
    struct markup markup; /* behind its first tag */
};

struct parser {
    struct template *template;
    const struct template_scope *scope;
    struct catalogue *catalogue;
    const char *file;
    char *at;
    int line;
    struct markup markup;
    struct open_section open[TEMPLATE_DEPTH_MAX];
    size_t depth;
    unsigned contents;
    unsigned styles;
    char *error;
};

__attribute__((format(printf, 2, 3))) static bool refuse(struct parser *parser, const char *format,
                                                         ...)
{
    int length = snprintf(parser->error, TEMPLATE_ERROR_MAX, "%s:%d: ", parser->file, parser->line);
    if (length < 0 || length >= TEMPLATE_ERROR_MAX)
        return false;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(parser->error + length, (size_t)(TEMPLATE_ERROR_MAX - length), format,
                    arguments); /* cut at worst */
    va_end(arguments);
    return false;
}

static struct node *add_node(struct parser *parser, enum node_kind kind, const char *bytes,
                             size_t length)
{
    struct template *template = parser->template;
    if (template->count == template->room) {
        (void)refuse(parser, "a template has at most %d values, texts and sections",
                     TEMPLATE_NODES_MAX / 2);
        return NULL;
    }
    struct node *node = &template->nodes[template->count++];
    *node = (struct node){.kind = kind, .bytes = bytes, .length = length};
    return node;
}

static const struct template_name *find_name(const struct template_name *names, const char *name)
{
    for (; names && names->name; names++)
        if (strcmp(names->name, name) == 0)
            return names;
    return NULL;
}

static bool in_list(const struct parser *parser)
{
    for (size_t i = 0; i < parser->depth; i++) {
        const struct node *node = &parser->template->nodes[parser->open[i].node];
        if (node->kind == NODE_SECTION && parser->scope->list &&
            strcmp(node->bytes, parser->scope->list) == 0)
            return true;
    }
    return false;
}

/* A value that may be named here; NULL when there is none of this name. */
static const struct template_name *known_value(const struct parser *parser, const char *name)
{
    const struct template_name *value =
        in_list(parser) ? find_name(parser->scope->item, name) : NULL;
    return value ? value : find_name(parser->scope->values, name);
}

static bool is_known(const char *name, const void *parser)
{
    return known_value(parser, name) != NULL;
}

static bool add_value(struct parser *parser, const char *name)
{
    const struct template_name *value = known_value(parser, name);
    if (!value)
        return refuse(parser, "there is no value {{%s}} here", name);
    const char *problem = markup_put(&parser->markup, value->content);
    if (problem)
        return refuse(parser, "{{%s}}: %s", name, problem);
    return add_node(parser, NODE_VALUE, name, 0) != NULL;
}

static bool add_text(struct parser *parser, const char *name)
{
    const struct catalogue_use use = {.allowed = is_known, .context = parser, .user = parser->file};
    if (!catalogue_use_text(parser->catalogue, name, &use, parser->error))
        return parser->error[0] ? false : refuse(parser, "en.json has no text %s", name);
    const char *problem = markup_put(&parser->markup, MARKUP_WORDS);
    if (problem)
        return refuse(parser, "{{text %s}}: %s", name, problem);
    return add_node(parser, NODE_TEXT, name, 0) != NULL;
}

/* {{content}} and {{style}}. */
static bool add_part(struct parser *parser, enum node_kind kind, const char *name, unsigned *seen)
{
    if (parser->markup.place != MARKUP_TEXT || parser->depth > 0)
        return refuse(parser, "{{%s}} must stand between tags and in no section", name);
    if ((*seen)++ > 0)
        return refuse(parser, "{{%s}} is there twice", name);
    return add_node(parser, kind, name, 0) != NULL;
}

static bool begin_section(struct parser *parser, enum node_kind kind, const char *name)
{
    bool list = parser->scope->list && strcmp(parser->scope->list, name) == 0;
    if (!list && !known_value(parser, name))
        return refuse(parser, "there is no value {{%s}} here", name);
    if (list && in_list(parser))
        return refuse(parser, "{{%s}} stands inside itself", name);
    if (parser->depth == TEMPLATE_DEPTH_MAX)
        return refuse(parser, "sections can be %d deep", TEMPLATE_DEPTH_MAX);
    if (!add_node(parser, kind, name, 0))
        return false;
    markup_fork(&parser->markup);
    parser->open[parser->depth++] = (struct open_section){
        .node = parser->template->count - 1, .line = parser->line, .markup = parser->markup};
    return true;
}

static bool end_section(struct parser *parser, const char *name)
{
    if (parser->depth == 0)
        return refuse(parser, "{{/%s}} ends nothing", name);
    struct template *template = parser->template;
    const struct open_section *open = &parser->open[parser->depth - 1];
    struct node *node = &template->nodes[open->node];
    if (strcmp(node->bytes, name) != 0)
        return refuse(parser, "{{/%s}} would end the section %s of line %d", name, node->bytes,
                      open->line);
    markup_fork(&parser->markup);
    if (!markup_same(&open->markup, &parser->markup))
        return refuse(parser,
                      "the section %s must hold whole tags, or in a tag, behind a space, whole "
                      "attributes",
                      name);
    /* What comes behind it stands behind something, whether this section is shown or not. */
    parser->markup.begun = parser->markup.begun || open->markup.begun;
    node->end = template->count;
    parser->depth--;
    return true;
}

/* Cuts blanks and puts a NUL behind; the bytes are the template's own copy. */
static char *trim(char *begin, char *end)
{
    while (begin < end && *begin == ' ')
        begin++;
    while (end > begin && end[-1] == ' ')
        end--;
    *end = '\0';
    return begin;
}

static bool add_tag(struct parser *parser, char *tag)
{
    static const char text[] = "text ";
    char mark = *tag;
    bool is_text = strncmp(tag, text, sizeof text - 1) == 0;
    char *name = tag;
    if (is_text)
        name = tag + sizeof text - 1;
    else if (mark == '#' || mark == '^' || mark == '/')
        name = tag + 1;
    name += strspn(name, " ");
    if (!name_is_valid(name, strlen(name)))
        return refuse(parser,
                      "{{%.40s}} isn't {{name}}, {{text name}}, {{#name}}, {{^name}} or "
                      "{{/name}}",
                      tag);
    if (is_text)
        return add_text(parser, name);
    if (mark == '#')
        return begin_section(parser, NODE_SECTION, name);
    if (mark == '^')
        return begin_section(parser, NODE_INVERTED, name);
    if (mark == '/')
        return end_section(parser, name);
    if (parser->scope->layout && strcmp(name, "content") == 0)
        return add_part(parser, NODE_CONTENT, name, &parser->contents);
    if (parser->scope->layout && strcmp(name, "style") == 0)
        return add_part(parser, NODE_STYLE, name, &parser->styles);
    return add_value(parser, name);
}

static bool add_literal(struct parser *parser, char *end)
{
    if (end == parser->at)
        return true;
    if (!add_node(parser, NODE_LITERAL, parser->at, (size_t)(end - parser->at)))
        return false;
    for (; parser->at < end; parser->at++) {
        const char *problem = markup_read(&parser->markup, *parser->at);
        if (problem)
            return refuse(parser, "%s", problem);
        parser->line += *parser->at == '\n';
    }
    return true;
}

static bool parse_tag(struct parser *parser)
{
    char *begin = parser->at + 2;
    char *end = strstr(begin, "}}");
    if (!end || memchr(begin, '\n', (size_t)(end - begin)))
        return refuse(parser, "'{{' without '}}' on its line");
    parser->at = end + 2;
    return add_tag(parser, trim(begin, end));
}

static bool finish(struct parser *parser)
{
    if (parser->depth > 0) {
        const struct open_section *open = &parser->open[parser->depth - 1];
        parser->line = open->line;
        return refuse(parser, "the section %s doesn't end",
                      parser->template->nodes[open->node].bytes);
    }
    if (parser->markup.place == MARKUP_TEXT_ALONE)
        return refuse(parser, "the template ends without <%s>", parser->markup.text_alone);
    if (parser->markup.place != MARKUP_TEXT)
        return refuse(parser, "the template ends in the middle of a tag");
    if (parser->scope->layout && (parser->contents == 0 || parser->styles == 0))
        return refuse(parser, "{{%s}} is missing", parser->contents == 0 ? "content" : "style");
    return true;
}

static bool parse(struct parser *parser)
{
    for (char *tag; (tag = strstr(parser->at, "{{"));)
        if (!add_literal(parser, tag) || !parse_tag(parser))
            return false;
    return add_literal(parser, parser->at + strlen(parser->at)) && finish(parser);
}

/* Room for what the tags and the literals between them can make, up to the bound. */
static size_t count_nodes(const char *source)
{
    size_t count = 1;
    while ((source = strstr(source, "{{")) && count < TEMPLATE_NODES_MAX) {
        count += 2;
        source += 2;
    }
    return count < TEMPLATE_NODES_MAX ? count : TEMPLATE_NODES_MAX;
}

struct template *template_parse(const char *file, const char *bytes, size_t length,
                                const struct template_scope *scope, struct catalogue *catalogue,
                                char error[TEMPLATE_ERROR_MAX])
{
    struct template *template = calloc(1, sizeof *template);
    struct parser parser = {.template = template,
                            .scope = scope,
                            .catalogue = catalogue,
                            .file = file,
                            .line = 1,
                            .error = error};
    if (template && (template->source = strndup(bytes, length))) {
        template->room = count_nodes(template->source);
        template->nodes = calloc(template->room, sizeof *template->nodes);
        template->list = scope->list;
    }
    if (!template || !template->source || !template->nodes) {
        template_free(template);
        (void)refuse(&parser, "memory is out");
        return NULL;
    }
    parser.at = template->source;
    if (parse(&parser))
        return template;
    template_free(template);
    return NULL;
}

void template_free(struct template *template)
{
    if (!template)
        return;
    free(template->nodes);
    free(template->source);
    free(template);
}

struct renderer {
    const struct template *template;
    const struct template_data *data;
    const struct page_value *item; /* of the list's section that is being written, or NULL */
    FILE *stream;
};

static const char *find_value(const struct page_value *values, const char *name)
{
    for (; values && values->name; values++)
        if (strcmp(values->name, name) == 0)
            return values->text && values->text[0] ? values->text : NULL;
    return NULL;
}

/* An item has its own values only: one that it lacks isn't taken from the page. */
static bool is_of_item(const struct renderer *renderer, const char *name)
{
    for (const struct page_value *value = renderer->item; value && value->name; value++)
        if (strcmp(value->name, name) == 0)
            return true;
    return false;
}

static const char *value_of(const struct renderer *renderer, const char *name)
{
    return find_value(is_of_item(renderer, name) ? renderer->item : renderer->data->values, name);
}

static void write_escaped(FILE *stream, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        const char *escaped = text[i] == '&'    ? "&amp;"
                              : text[i] == '<'  ? "&lt;"
                              : text[i] == '>'  ? "&gt;"
                              : text[i] == '"'  ? "&quot;"
                              : text[i] == '\'' ? "&#39;"
                                                : NULL;
        /* The stream keeps an error. */
        if (escaped)
            (void)fputs(escaped, stream);
        else
            (void)fputc(text[i], stream);
    }
}

static void write_value(const struct renderer *renderer, const char *name)
{
    const char *text = value_of(renderer, name);
    if (text)
        write_escaped(renderer->stream, text, strlen(text));
}

static void write_text(const struct renderer *renderer, const char *name)
{
    const char *text = language_text(renderer->data->language, name);
    if (!text)
        return;
    char value[CATALOGUE_NAME_SIZE];
    size_t length;
    for (const char *begin = text; text_next_value(&text, &length, value); begin = text) {
        write_escaped(renderer->stream, begin, length);
        write_value(renderer, value);
    }
    write_escaped(renderer->stream, text, length);
}

static void render(struct renderer *renderer, size_t begin, size_t end);

static void render_list(struct renderer *renderer, size_t begin, size_t end)
{
    for (size_t i = 0; i < renderer->data->item_count; i++) {
        renderer->item = renderer->data->items[i];
        render(renderer, begin, end);
    }
    renderer->item = NULL;
}

static void render_section(struct renderer *renderer, size_t index)
{
    const struct node *node = &renderer->template->nodes[index];
    const char *list = renderer->template->list;
    bool is_list = list && strcmp(list, node->bytes) == 0;
    bool there = is_list ? renderer->data->item_count > 0 : value_of(renderer, node->bytes) != NULL;
    if (there != (node->kind == NODE_SECTION))
        return;
    if (is_list && there)
        render_list(renderer, index + 1, node->end);
    else
        render(renderer, index + 1, node->end);
}

/* As deep as its sections, which are bounded. NOLINTNEXTLINE(misc-no-recursion) */
static void render(struct renderer *renderer, size_t begin, size_t end)
{
    for (size_t i = begin; i < end; i++) {
        const struct node *node = &renderer->template->nodes[i];
        switch (node->kind) {
        case NODE_LITERAL:
            (void)fwrite(node->bytes, 1, node->length, renderer->stream); /* it keeps an error */
            break;
        case NODE_VALUE:
            write_value(renderer, node->bytes);
            break;
        case NODE_TEXT:
            write_text(renderer, node->bytes);
            break;
        case NODE_SECTION:
        case NODE_INVERTED:
            render_section(renderer, i);
            i = node->end - 1;
            break;
        case NODE_CONTENT:
            (void)fputs(renderer->data->content, renderer->stream);
            break;
        case NODE_STYLE:
            (void)fprintf(renderer->stream, "<style>%s</style>", renderer->data->style);
            break;
        }
    }
}

void template_render(const struct template *template, const struct template_data *data,
                     FILE *stream)
{
    struct renderer renderer = {.template = template, .data = data, .stream = stream};
    render(&renderer, 0, template->count);
}

char *template_fill(const char *text, const struct page_value *values)
{
    char *bytes = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&bytes, &size);
    if (!stream)
        return NULL;
    char name[CATALOGUE_NAME_SIZE];
    size_t length;
    for (const char *begin = text; text_next_value(&text, &length, name); begin = text) {
        const char *value = find_value(values, name);
        (void)fprintf(stream, "%.*s%s", (int)length, begin, value ? value : "");
    }
    (void)fputs(text, stream); /* the stream keeps an error */
    bool written = ferror(stream) == 0;
    written = fclose(stream) == 0 && written;
    if (written)
        return bytes;
    free(bytes);
    return NULL;
}
