// Expression: tokens and a parser by recursive descent, one function a level of binding strength.
#include "compiler/read/expression.h"
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

enum { MAX_DEPTH = 100, LEVEL_COUNT = 6 };

typedef enum { TOKEN_END, TOKEN_NUMBER, TOKEN_NAME, TOKEN_TEXT, TOKEN_MARK } TokenKind;

typedef struct {
    TokenKind kind;
    uint32_t offset, length;
} Token;

typedef struct {
    Arena *arena;
    const char *text;
    uint32_t at; // where the text that is not yet a token begins
    Token token; // the next one
    uint32_t depth;
    bool failed;
    ExpressionProblem *problem;
} Parser;

static const char *const sign_texts[] = {"or", "and", "not", "==", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/", "//", "%", "^"};

static const Sign levels[LEVEL_COUNT][6] = {
    {SIGN_OR},
    {SIGN_AND},
    {SIGN_NOT},
    {SIGN_EQUAL, SIGN_NOT_EQUAL, SIGN_LESS, SIGN_LESS_EQUAL, SIGN_GREATER, SIGN_GREATER_EQUAL},
    {SIGN_ADD, SIGN_SUB},
    {SIGN_MUL, SIGN_DIV, SIGN_FLOOR_DIV, SIGN_MOD},
};
static const uint32_t level_sizes[LEVEL_COUNT] = {1, 1, 1, 6, 2, 4};

static const Tree *parse_level(Parser *parser, uint32_t level);
static const Tree *parse_sign(Parser *parser);

const char *sign_text(Sign sign) { return sign_texts[sign]; }

static const Tree *fail(Parser *parser, uint32_t offset, const char *message) {
    if (!parser->failed)
        *parser->problem = (ExpressionProblem){message, offset};
    parser->failed = true;
    parser->token = (Token){TOKEN_END, offset, 0};
    return NULL;
}

static const char *token_text(const Parser *parser) {
    if (parser->token.kind == TOKEN_END)
        return "the end";
    return arena_format(parser->arena, "\"%.*s\"", (int)parser->token.length, parser->text + parser->token.offset);
}

static bool is_name_byte(char c) { return isalnum((unsigned char)c) || c == '_'; }

// 1, 1.5, .5, 1e-4
static uint32_t number_length(const char *text) {
    uint32_t n = 0;
    while (isdigit((unsigned char)text[n]))
        n++;
    if (text[n] == '.') {
        n++;
        while (isdigit((unsigned char)text[n]))
            n++;
    }
    if (text[n] == 'e' || text[n] == 'E') {
        uint32_t m = n + 1;
        if (text[m] == '+' || text[m] == '-')
            m++;
        if (isdigit((unsigned char)text[m])) {
            while (isdigit((unsigned char)text[m]))
                m++;
            n = m;
        }
    }
    return n;
}

static void next(Parser *parser) {
    static const char *const marks[] = {"//", "==", "!=", "<=", ">="};
    const char *text = parser->text;
    if (parser->failed)
        return;
    while (text[parser->at] == ' ' || text[parser->at] == '\t' || text[parser->at] == '\n' || text[parser->at] == '\r')
        parser->at++;
    uint32_t at = parser->at;
    Token token = {TOKEN_END, at, 0};
    char c = text[at];
    if (isdigit((unsigned char)c) || (c == '.' && isdigit((unsigned char)text[at + 1]))) {
        token = (Token){TOKEN_NUMBER, at, number_length(text + at)};
    } else if (isalpha((unsigned char)c) || c == '_') {
        uint32_t n = 1;
        while (is_name_byte(text[at + n]))
            n++;
        token = (Token){TOKEN_NAME, at, n};
    } else if (c == '\'') {
        const char *end = strchr(text + at + 1, c);
        if (!end) {
            fail(parser, at, "a text has no end: ' expected");
            return;
        }
        token = (Token){TOKEN_TEXT, at, (uint32_t)(end - text) - at + 1};
    } else if (c == '$') {
        token = (Token){TOKEN_NAME, at, 1};
    } else if (c) {
        token = (Token){TOKEN_MARK, at, 1};
        for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
            if (!strncmp(text + at, marks[i], 2))
                token.length = 2;
        if (token.length == 1 && !strchr("+-*/%^()[],:.<>", c)) {
            size_t size = text_utf8_size(text + at, strlen(text + at));
            bool is_shown = size > 1 || isprint((unsigned char)c);
            fail(parser, at,
                 is_shown ? arena_format(parser->arena, "unexpected \"%.*s\"%s", (int)size, text + at,
                                         size > 1     ? "; names are of a-z, A-Z, 0-9 and _"
                                         : c == '"' ? "; a text stands in single quotes"
                                         : c == '@' ? "; the product of matrices is matmul(a, b)"
                                                    : "")
                          : arena_format(parser->arena, "unexpected byte 0x%02x", (unsigned char)c));
            return;
        }
    }
    parser->at = at + token.length;
    parser->token = token;
}

static bool is_token(const Parser *parser, const char *word) {
    const Token *token = &parser->token;
    return (token->kind == TOKEN_NAME || token->kind == TOKEN_MARK) && strlen(word) == token->length &&
           !strncmp(parser->text + token->offset, word, token->length);
}

static bool accept(Parser *parser, const char *word) {
    if (parser->failed || !is_token(parser, word))
        return false;
    next(parser);
    return true;
}

static bool expect(Parser *parser, const char *word) {
    if (accept(parser, word))
        return true;
    fail(parser, parser->token.offset, arena_format(parser->arena, "\"%s\" expected before %s", word, token_text(parser)));
    return false;
}

static Tree *make(Parser *parser, TreeKind kind, uint32_t offset) {
    Tree *tree = ARENA_NEW(parser->arena, Tree, 1);
    tree->kind = kind;
    tree->offset = offset;
    return tree;
}

static void add(Parser *parser, Tree *tree, const Tree *child) { array_push(parser->arena, &tree->children, child); }

static const Tree *make_signed(Parser *parser, Sign sign, uint32_t offset, const Tree *left, const Tree *right) {
    Tree *tree = make(parser, right ? TREE_BINARY : TREE_UNARY, offset);
    tree->sign = sign;
    add(parser, tree, left);
    if (right)
        add(parser, tree, right);
    return tree;
}

static void parse_several(Parser *parser, Tree *tree, const char *end) {
    while (!parser->failed && !accept(parser, end)) {
        const Tree *part = parse_level(parser, 0);
        if (!part)
            return;
        add(parser, tree, part);
        if (!accept(parser, ",")) {
            expect(parser, end);
            return;
        }
    }
}

static bool ends_part(const Parser *parser) {
    return is_token(parser, ":") || is_token(parser, ",") || is_token(parser, "]") || parser->token.kind == TOKEN_END;
}

// i, a:b, a:b:c, None
static const Tree *parse_item(Parser *parser) {
    uint32_t offset = parser->token.offset, count = 0;
    const Tree *parts[3] = {0};
    for (;;) {
        if (!ends_part(parser) && !(parts[count] = parse_level(parser, 0)))
            return NULL;
        if (!accept(parser, ":"))
            break;
        if (++count == 3)
            return fail(parser, offset, "a slice has at most three parts, a:b:c");
    }
    if (!count)
        return parts[0] ? parts[0] : fail(parser, offset, arena_format(parser->arena, "a value expected before %s", token_text(parser)));
    Tree *slice = make(parser, TREE_SLICE, offset);
    for (uint32_t i = 0; i < 3; i++)
        add(parser, slice, parts[i]);
    return slice;
}

static bool parse_items(Parser *parser, Tree *tree) {
    while (!parser->failed && !accept(parser, "]")) {
        const Tree *item = parse_item(parser);
        if (!item)
            return false;
        add(parser, tree, item);
        if (!accept(parser, ","))
            return expect(parser, "]");
    }
    return !parser->failed;
}

static const Tree *parse_number(Parser *parser) {
    Token token = parser->token;
    const char *text = arena_copy_bytes(parser->arena, parser->text + token.offset, token.length);
    Tree *tree = make(parser, TREE_NUMBER, token.offset);
    tree->number = strtod(text, NULL);
    tree->is_integer = !strpbrk(text, ".eE");
    if (tree->is_integer) {
        errno = 0;
        tree->integer = strtoll(text, NULL, 10);
        if (errno)
            return fail(parser, token.offset, arena_format(parser->arena, "%s is too large for an integer, at most %lld; write %s.0 for a number that is none", text,
                                             (long long)INT64_MAX, text));
    }
    next(parser);
    return tree;
}

static bool is_double_star(const Parser *parser) {
    uint32_t at = parser->token.offset;
    return at > 0 && parser->text[at] == '*' && parser->text[at - 1] == '*';
}

static const Tree *parse_primary(Parser *parser) {
    Token token = parser->token;
    if (accept(parser, "(")) {
        const Tree *tree = parse_level(parser, 0);
        return tree && expect(parser, ")") ? tree : NULL;
    }
    if (accept(parser, "[")) {
        Tree *tree = make(parser, TREE_LIST, token.offset);
        parse_several(parser, tree, "]");
        return tree;
    }
    if (token.kind == TOKEN_NUMBER)
        return parse_number(parser);
    if (token.kind == TOKEN_TEXT) {
        Tree *tree = make(parser, TREE_TEXT, token.offset);
        tree->name = arena_copy_bytes(parser->arena, parser->text + token.offset + 1, token.length - 2);
        next(parser);
        return tree;
    }
    if (token.kind != TOKEN_NAME || is_token(parser, "and") || is_token(parser, "or") || is_token(parser, "not"))
        return fail(parser, token.offset,
                    arena_format(parser->arena, "a value expected before %s%s", token_text(parser),
                                 is_double_star(parser) ? "; a power is a^b" : ""));
    Tree *tree = make(parser, TREE_NAME, token.offset);
    tree->name = arena_copy_bytes(parser->arena, parser->text + token.offset, token.length);
    if (!strcmp(tree->name, "None"))
        tree->kind = TREE_NONE;
    if (!strcmp(tree->name, "true") || !strcmp(tree->name, "false")) {
        tree->kind = TREE_BOOL;
        tree->integer = tree->name[0] == 't';
    }
    next(parser);
    return tree;
}

// ".0" of "net.i.0.linear.weight"
static bool is_step(const char *text, uint32_t length) {
    uint32_t digits = 0;
    while (digits + 1 < length && isdigit((unsigned char)text[digits + 1]))
        digits++;
    return text[0] == '.' && digits && digits + 1 == length;
}

static const Tree *parse_postfix(Parser *parser) {
    const Tree *base = parse_primary(parser);
    for (uint32_t count = 0; base && !parser->failed; count++) {
        uint32_t offset = parser->token.offset;
        if (count > MAX_DEPTH)
            return fail(parser, offset, arena_format(parser->arena, "more than %d indices, names and calls in a row", MAX_DEPTH));
        Tree *tree;
        const Token *token = &parser->token;
        if (token->kind == TOKEN_NUMBER && (base->kind == TREE_NAME || base->kind == TREE_ATTR) && is_step(parser->text + token->offset, token->length)) {
            tree = make(parser, TREE_ATTR, token->offset + 1);
            tree->name = arena_copy_bytes(parser->arena, parser->text + token->offset + 1, token->length - 1);
            add(parser, tree, base);
            next(parser);
        } else if (accept(parser, ".")) {
            if (parser->token.kind != TOKEN_NAME)
                return fail(parser, parser->token.offset, arena_format(parser->arena, "a name expected before %s", token_text(parser)));
            tree = make(parser, TREE_ATTR, parser->token.offset);
            tree->name = arena_copy_bytes(parser->arena, parser->text + parser->token.offset, parser->token.length);
            add(parser, tree, base);
            next(parser);
        } else if (accept(parser, "[")) {
            tree = make(parser, TREE_INDEX, offset);
            add(parser, tree, base);
            if (!parse_items(parser, tree))
                return NULL;
        } else if (is_token(parser, "(")) {
            if (base->kind != TREE_NAME)
                return fail(parser, offset, "only a function can be called");
            next(parser);
            tree = make(parser, TREE_CALL, base->offset);
            tree->name = base->name;
            parse_several(parser, tree, ")");
        } else {
            break;
        }
        base = tree;
    }
    return parser->failed ? NULL : base;
}

// Binds weaker than ^: -x^2 = -(x^2).
static const Tree *parse_sign(Parser *parser) {
    if (++parser->depth > MAX_DEPTH)
        return fail(parser, parser->token.offset, arena_format(parser->arena, "nested more than %d deep", MAX_DEPTH));
    uint32_t offset = parser->token.offset;
    const Tree *tree = NULL;
    if (accept(parser, "-")) {
        const Tree *operand = parse_sign(parser);
        tree = operand ? make_signed(parser, SIGN_SUB, offset, operand, NULL) : NULL;
    } else {
        tree = parse_postfix(parser);
        offset = parser->token.offset;
        if (tree && accept(parser, "^")) {
            const Tree *exponent = parse_sign(parser);
            tree = exponent ? make_signed(parser, SIGN_POW, offset, tree, exponent) : NULL;
        }
    }
    parser->depth--;
    return tree;
}

static const Tree *parse_level(Parser *parser, uint32_t level) {
    if (level == LEVEL_COUNT)
        return parse_sign(parser);
    if (++parser->depth > MAX_DEPTH * LEVEL_COUNT)
        return fail(parser, parser->token.offset, arena_format(parser->arena, "nested more than %d deep", MAX_DEPTH));
    uint32_t offset = parser->token.offset;
    const Tree *left;
    if (levels[level][0] == SIGN_NOT) {
        if (accept(parser, "not")) {
            const Tree *operand = parse_level(parser, level);
            left = operand ? make_signed(parser, SIGN_NOT, offset, operand, NULL) : NULL;
        } else {
            left = parse_level(parser, level + 1);
        }
        parser->depth--;
        return left;
    }
    left = parse_level(parser, level + 1);
    for (uint32_t i = 0; left && i < level_sizes[level];) {
        offset = parser->token.offset;
        if (!accept(parser, sign_texts[levels[level][i]])) {
            i++;
            continue;
        }
        const Tree *right = parse_level(parser, level + 1);
        left = right ? make_signed(parser, levels[level][i], offset, left, right) : NULL;
        i = 0;
    }
    parser->depth--;
    return left;
}

const Tree *expression_parse(Arena *arena, const char *text, ExpressionProblem *problem) {
    Parser parser = {.arena = arena, .text = text, .problem = problem};
    next(&parser);
    const Tree *tree = parse_level(&parser, 0);
    if (tree && !parser.failed && parser.token.kind != TOKEN_END)
        fail(&parser, parser.token.offset, arena_format(arena, "an operator or the end expected before %s", token_text(&parser)));
    return parser.failed ? NULL : tree;
}
