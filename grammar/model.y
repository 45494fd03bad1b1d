/* model.y - the grammar of the language; grammar/README.md shows it by example.
 *
 * Actions only build the tree of import/dsl_tree.h, in an arena: nothing is freed, and %destructor
 * does another job: it notes the names of a statement that is thrown away, so that the statements
 * that use them are not blamed as well. */
%code requires {
#include "import/dsl_tree.h"
}

%define api.pure full
%define api.prefix {dsl_yy}
%define api.location.type {struct dsl_loc}
%define parse.error custom
%locations
%expect 0
%lex-param   { void *scanner }
%parse-param { void *scanner } { struct dsl *p }

%code {
#define YYLLOC_DEFAULT(cur, rhs, n) ((cur) = (n) ? YYRHSLOC(rhs, 1) : YYRHSLOC(rhs, 0))
#define YYSTACK_USE_ALLOCA 0
#define NO_LIST ((struct dsl_list){0})
#define NUM(at, text) dsl_text(p, X_NUMBER, at, text)

int dsl_yylex(DSL_YYSTYPE *, struct dsl_loc *, void *);

static void
dsl_yyerror(struct dsl_loc *at, void *scanner, struct dsl *p, const char *text)
{
    (void)scanner;
    diag_error(p->diag, E_DSL_LIMIT, dsl_place(p, *at), "%s", text);
}
}

%union {
    const char *text;
    struct dsl_expr *expr;
    struct dsl_list list;
    struct dsl_stmt *stmt;
    struct dsl_body body;
    struct dsl_type *type;
}

%token <text> NAME "name" STRING "string" NUMBER "number" DIMS "size"
%token NEWLINE "end of line" NETWORK "network" ORIGIN "origin" INPUT "input" OUTPUT "output"
       CONST "const" BLOCK "block" RETURN "return" FROM "from" AS "as"
       AT_MOST "<=" AT_LEAST ">=" UP_TO ".."

%type <expr> expr primary call arg option value tensor list item init pin clause post_one target
%type <list> args items targets names clauses numbers post header
%type <stmt> statement
%type <body> lines
%type <type> type type_opt

%destructor { dsl_poison(p, $$); } NAME
%destructor { dsl_poison_all(p, &$$); } targets names
%destructor { dsl_poison_stmt(p, $$); } statement

%left '+' '-'
%left '*' '/'
%precedence MINUS
%right '^'

%%

file: lines                         { p->body = $1; }
    ;

lines: %empty                       { $$ = (struct dsl_body){0}; }
     | lines statement NEWLINE      { $$ = dsl_add_stmt(p, $1, $2); }
     | lines error NEWLINE          { $$ = $1; yyerrok; }
     ;

statement: NETWORK NAME header           { $$ = dsl_stmt(p, S_NETWORK, @2, $2, $3, NULL); }
         | ORIGIN STRING NAME STRING     { $$ = dsl_origin(p, @1, $2, @3, $3, $4); }
         | INPUT NAME ':' type clauses   { $$ = dsl_typed_stmt(p, S_INPUT, @2, $2, $4, $5, NULL); }
         | OUTPUT targets                { $$ = dsl_stmt(p, S_OUTPUT, @1, NULL, $2, NULL); }
         | OUTPUT targets '=' expr post  { $$ = dsl_assign(p, @2, $2, $4, $5, true); }
         | targets '=' expr post         { $$ = dsl_assign(p, @1, $1, $3, $4, false); }
         | CONST NAME type_opt init      { $$ = dsl_typed_stmt(p, S_CONST, @2, $2, $3,
                                                               NO_LIST, $4); }
         | BLOCK NAME '(' names ')' '{' lines '}'  { $$ = dsl_block(p, @2, $2, $4, $7); }
         | RETURN expr                   { $$ = dsl_stmt(p, S_RETURN, @1, NULL, NO_LIST, $2); }
         ;

header: %empty                      { $$ = NO_LIST; }
      | header NAME NUMBER          { $$ = dsl_add(p, $1, dsl_option(p, @2, $2, NUM(@3, $3))); }
      ;

/* input x : TYPE from u8 / 255 mean 0.5, 0.5, 0.5 std 0.2, 0.2, 0.2 unbatched */
clauses: %empty                     { $$ = NO_LIST; }
       | clauses clause             { $$ = dsl_add(p, $1, $2); }
       ;
clause: FROM NAME                   { $$ = dsl_from(p, @1, $2, NULL); }
      | FROM NAME '/' NUMBER        { $$ = dsl_from(p, @1, $2, NUM(@4, $4)); }
      | NAME                        { $$ = dsl_option(p, @1, $1, NULL); }
      | NAME numbers                { $$ = dsl_option(p, @1, $1,
                                                      dsl_items(p, X_LIST, @2, NULL, $2)); }
      ;
numbers: NUMBER                     { $$ = dsl_one(p, NUM(@1, $1)); }
       | numbers ',' NUMBER         { $$ = dsl_add(p, $1, NUM(@3, $3)); }
       ;

type_opt: %empty                    { $$ = NULL; }
        | ':' type                  { $$ = $2; }
        ;
type: NAME list                     { $$ = dsl_type(p, @1, $1, $2); }
    ;
init: %empty                        { $$ = NULL; }
    | '=' value                     { $$ = $2; }
    ;
value: NUMBER                       { $$ = NUM(@1, $1); }
     | list
     | NAME STRING                  { $$ = dsl_file_value(p, @1, $1, @2, $2); }
     ;

targets: target                     { $$ = dsl_one(p, $1); }
       | targets ',' target         { $$ = dsl_add(p, $1, $3); }
       ;
target: NAME                        { $$ = dsl_text(p, X_NAME, @1, $1); }
      | '_'                         { $$ = dsl_text(p, X_NONE, @1, ""); }
      ;
names: %empty                       { $$ = NO_LIST; }
     | targets
     ;

/* What stands behind an expression: as "node name", @degree(<= 7), @pow2(5) */
post: %empty                        { $$ = NO_LIST; }
    | post post_one                 { $$ = dsl_add(p, $1, $2); }
    ;
post_one: AS NAME                   { $$ = dsl_text(p, X_AS, @1, $2); }
        | AS STRING                 { $$ = dsl_text(p, X_AS, @1, $2); }
        | '@' NAME '(' pin ')'      { $$ = $4; $$->text = $2; $$->loc = @1; }
        ;
pin: NUMBER                         { $$ = dsl_pin(p, @1, $1, $1); }
   | AT_MOST NUMBER                 { $$ = dsl_pin(p, @1, NULL, $2); }
   | AT_LEAST NUMBER                { $$ = dsl_pin(p, @1, $2, NULL); }
   | NUMBER UP_TO NUMBER            { $$ = dsl_pin(p, @1, $1, $3); }
   ;

expr: primary
    | expr '+' expr                 { $$ = dsl_binary(p, @2, '+', $1, $3); }
    | expr '-' expr                 { $$ = dsl_binary(p, @2, '-', $1, $3); }
    | expr '*' expr                 { $$ = dsl_binary(p, @2, '*', $1, $3); }
    | expr '/' expr                 { $$ = dsl_binary(p, @2, '/', $1, $3); }
    | expr '^' expr                 { $$ = dsl_binary(p, @2, '^', $1, $3); }
    | '-' expr %prec MINUS          { $$ = dsl_binary(p, @1, 'n', $2, NULL); }
    ;
primary: NAME                       { $$ = dsl_text(p, X_NAME, @1, $1); }
       | STRING                     { $$ = dsl_text(p, X_STRING, @1, $1); }
       | NUMBER                     { $$ = NUM(@1, $1); }
       | DIMS                       { $$ = dsl_text(p, X_DIMS, @1, $1); }
       | '_'                        { $$ = dsl_text(p, X_NONE, @1, ""); }
       | list
       | call
       | '(' expr ')'               { $$ = $2; }
       ;
call: NAME '(' ')'                  { $$ = dsl_items(p, X_CALL, @1, $1, NO_LIST); }
    | NAME '(' args ')'             { $$ = dsl_items(p, X_CALL, @1, $1, $3); }
    | NAME '(' ';' args ')'         { $$ = dsl_items(p, X_CALL, @1, $1, $4); }
    ;
args: arg                           { $$ = dsl_one(p, $1); }
    | args ',' arg                  { $$ = dsl_add(p, $1, $3); }
    | args ';' arg                  { $$ = dsl_add(p, $1, $3); }
    ;
arg: expr
   | option
   ;
option: NAME NUMBER                 { $$ = dsl_option(p, @1, $1, NUM(@2, $2)); }
      | NAME STRING                 { $$ = dsl_option(p, @1, $1, dsl_text(p, X_STRING, @2, $2)); }
      | NAME DIMS                   { $$ = dsl_option(p, @1, $1, dsl_text(p, X_DIMS, @2, $2)); }
      | NAME NAME                   { $$ = dsl_option(p, @1, $1, dsl_text(p, X_NAME, @2, $2)); }
      | NAME list                   { $$ = dsl_option(p, @1, $1, $2); }
      | NAME tensor                 { $$ = dsl_option(p, @1, $1, $2); }
      ;
/* ints [], floats [], strings []; f32[2] = [0.5, 1] */
tensor: NAME list                   { $$ = dsl_typed(p, @1, $1, $2); }
      | NAME list '=' value         { $$ = dsl_tensor(p, @1, dsl_type(p, @1, $1, $2), $4); }
      ;

list: '[' ']'                       { $$ = dsl_items(p, X_LIST, @1, NULL, NO_LIST); }
    | '[' items ']'                 { $$ = dsl_items(p, X_LIST, @1, NULL, $2); }
    ;
items: item                         { $$ = dsl_one(p, $1); }
     | items ',' item               { $$ = dsl_add(p, $1, $3); }
     ;
item: NUMBER                        { $$ = NUM(@1, $1); }
    | STRING                        { $$ = dsl_text(p, X_STRING, @1, $1); }
    | NAME                          { $$ = dsl_text(p, X_NAME, @1, $1); }
    ;

%%

/* "unexpected X, expected A, B or C"; more than four alternatives help nobody. */
static int
yyreport_syntax_error(const yypcontext_t *context, void *scanner, struct dsl *p)
{
    enum { MOST = 4 };
    yysymbol_kind_t expected[MOST + 1];
    int n = yypcontext_expected_tokens(context, expected, MOST + 1);
    const char *names[MOST + 1];

    (void)scanner;
    if (n == YYENOMEM)
        return YYENOMEM;
    if (n > MOST || n < 0)
        n = 0;
    for (int k = 0; k < n; k++)
        names[k] = yysymbol_name(expected[k]);
    dsl_syntax_error(p, *yypcontext_location(context), names, n);
    return 0;
}
