/* test_onnx.c - graphs from ONNX models made in memory: what is taken, and every error. */
#include "onnx_make.h"

#include "op/op.h"

#include <criterion/criterion.h>
#include <sodium.h>
#include <string.h>

static void
refused(struct maker *m, enum code code, const char *part)
{
    cr_expect(!make_import(m, NULL));
    cr_expect(said(m->diag, code, part), "wanted E%d with '%s', got: %s", (int)code, part,
              all_messages(m->arena, m->diag));
    cr_expect_eq(diag_errors(m->diag), 1, "one problem, one message: %s",
                 all_messages(m->arena, m->diag));
    make_free(m);
}

static struct graph *
taken(struct maker *m)
{
    struct graph *g = make_import(m, NULL);
    cr_assert(g, "%s", all_messages(m->arena, m->diag));
    cr_assert(graph_check(g, STAGE_IMPORTED, m->diag), "%s", all_messages(m->arena, m->diag));
    return g;
}

Test(onnx, small_model)
{
    struct maker *m = make_small();
    struct graph *g = taken(m);
    uint8_t want[32];
    size_t size;
    const uint8_t *bytes = make_pack(m, &size);

    cr_expect_str_eq(g->name, "made");
    cr_expect_eq(g->opset, 13);
    crypto_generichash(want, sizeof want, bytes, size, NULL, 0);
    cr_expect_arr_eq(g->hash, want, 32);
    cr_assert_eq(g->inputs.len, 1);
    const struct value *in = graph_value(g, g->inputs.at[0].value);
    cr_expect_str_eq(in->name, "image");
    cr_expect(in->shape.rank == 2 && in->shape.dim[0] == 1 && in->shape.dim[1] == 4);
    cr_assert_eq(g->nodes.len, 2);
    const struct node *gemm = &g->nodes.at[0], *relu = &g->nodes.at[1];
    cr_expect(gemm->op == OP_gemm && relu->op == OP_relu);
    cr_expect_str_eq(gemm->name, "dense");
    cr_expect_str_eq(relu->name, "Relu_1");
    cr_expect_str_eq(relu->place.node, "Relu_1");
    cr_assert_eq(gemm->in.len, 3);
    const struct tensor *w = &graph_value(g, gemm->in.at[1])->data;
    cr_expect(w->shape.dim[0] == 3 && w->shape.dim[1] == 4 && w->f[0] == 1 && w->f[11] == 12);
    const struct attr *trans = graph_find_attr(gemm, "transB");
    cr_expect(trans && trans->kind == ATTR_INT && trans->ints[0] == 1);
    cr_assert_eq(g->outputs.len, 1);
    cr_expect_str_eq(graph_value(g, g->outputs.at[0])->name, "y");
    make_free(m);
}

Test(onnx, initializers_listed_as_inputs_are_constants)
{
    struct maker *m = make_small();
    make_input(m, "w", TT(FLOAT), DIMS(3, 4));
    make_input(m, "b", TT(FLOAT), DIMS(-1));
    struct graph *g = taken(m);
    cr_expect_eq(g->inputs.len, 1);
    make_free(m);
}

Test(onnx, constant_nodes)
{
    struct maker *m = make_new();
    Onnx__NodeProto *n;
    Onnx__AttributeProto *a;
    uint32_t v;

    n = make_node(m, "Constant", "t", "", "t");
    a = make_attr(m, n, "value", AT(TENSOR));
    a->t = make_tensor(m, NULL, TT(INT64), DIMS(2));
    a->t->n_int64_data = 2;
    a->t->int64_data = (int64_t[]){7, 8};
    n = make_node(m, "Constant", NULL, "", "f");
    a = make_attr(m, n, "value_float", AT(FLOAT));
    a->has_f = 1;
    a->f = 2.5f;
    n = make_node(m, "Constant", NULL, "", "fs");
    a = make_attr(m, n, "value_floats", AT(FLOATS));
    a->n_floats = 3;
    a->floats = (float[]){1, 2, 3};
    n = make_node(m, "Constant", NULL, "", "i");
    a = make_attr(m, n, "value_int", AT(INT));
    a->has_i = 1;
    a->i = -4;
    n = make_node(m, "Constant", NULL, "", "is");
    a = make_attr(m, n, "value_ints", AT(INTS));
    a->n_ints = 1;
    a->ints = (int64_t[]){5};
    make_output(m, "t");
    struct graph *g = taken(m);
    cr_expect_eq(g->nodes.len, 0);
    struct {
        const char *name;
        enum dtype dtype;
        int rank;
        double last;
    } want[] = {{"t", DT_I64, 1, 8},
                {"f", DT_F32, 0, 2.5},
                {"fs", DT_F32, 1, 3},
                {"i", DT_I64, 0, -4},
                {"is", DT_I64, 1, 5}};
    for (size_t k = 0; k < sizeof want / sizeof *want; k++) {
        cr_assert(map_get(&g->value_names, want[k].name, &v), "%s", want[k].name);
        const struct tensor *t = &graph_value(g, v)->data;
        int64_t last = shape_size(&t->shape) - 1;
        cr_expect(t->dtype == want[k].dtype && t->shape.rank == want[k].rank);
        cr_expect_eq(t->f ? t->f[last] : (double)t->i[last], want[k].last, "%s", want[k].name);
    }
    make_free(m);
}

Test(onnx, wrong_constants)
{
    struct maker *m = make_small();
    make_node(m, "Constant", "k", "", "k");
    refused(m, E_ONNX_ATTRIBUTE, "exactly one attribute");

    m = make_small();
    Onnx__NodeProto *n = make_node(m, "Constant", "k", "y", "k,l");
    Onnx__AttributeProto *a = make_attr(m, n, "value_float", AT(FLOAT));
    refused(m, E_ONNX_ARITY, "1 inputs and 2 outputs");

    m = make_small();
    n = make_node(m, "Constant", "k", "", "k");
    a = make_attr(m, n, "value_string", AT(STRING));
    a->has_s = 1;
    a->s.data = (uint8_t *)"x";
    a->s.len = 1;
    refused(m, E_ONNX_TYPE, "strings");

    m = make_small();
    n = make_node(m, "Constant", "k", "", "k");
    a = make_attr(m, n, "sparse_value", AT(SPARSE_TENSOR));
    refused(m, E_ONNX_TYPE, "sparse");
}

Test(onnx, attributes_of_every_kind)
{
    struct maker *m = make_small();
    Onnx__NodeProto *n = m->graph.node[0];
    Onnx__AttributeProto *a;
    ProtobufCBinaryData two[] = {{1, (uint8_t *)"p"}, {0, NULL}};

    a = make_attr(m, n, "f", AT(FLOAT));
    a->has_f = 1;
    a->f = 0.25f;
    a = make_attr(m, n, "s", AT(STRING));
    a->has_s = 1;
    a->s = (ProtobufCBinaryData){4, (uint8_t *)"SAME"};
    a = make_attr(m, n, "is", AT(INTS));
    a->n_ints = 2;
    a->ints = (int64_t[]){-1, 9};
    a = make_attr(m, n, "fs", AT(FLOATS));
    a->n_floats = 1;
    a->floats = (float[]){3};
    a = make_attr(m, n, "ss", AT(STRINGS));
    a->n_strings = 2;
    a->strings = two;
    a = make_attr(m, n, "t", AT(TENSOR));
    a->t = make_tensor(m, NULL, TT(FLOAT), DIMS(1));
    make_raw(a->t, "\0\0\x80\x3f", 4);
    a = make_attr(m, n, "old", AT(UNDEFINED)); /* as the first exporters wrote them */
    a->has_i = 1;
    a->i = 3;
    struct graph *g = taken(m);
    const struct node *gemm = &g->nodes.at[0];
    cr_expect_eq(graph_find_attr(gemm, "f")->floats[0], 0.25f);
    cr_expect_str_eq(graph_find_attr(gemm, "s")->strings[0], "SAME");
    cr_expect(graph_find_attr(gemm, "is")->count == 2 && graph_find_attr(gemm, "is")->ints[1] == 9);
    cr_expect_eq(graph_find_attr(gemm, "fs")->floats[0], 3);
    cr_expect_str_eq(graph_find_attr(gemm, "ss")->strings[1], "");
    cr_expect_eq(graph_find_attr(gemm, "t")->tensor.f[0], 1);
    cr_expect(graph_find_attr(gemm, "old")->kind == ATTR_INT);
    make_free(m);
}

Test(onnx, wrong_attributes)
{
    struct maker *m = make_small();
    make_attr(m, m->graph.node[0], "transB", AT(INT))->has_i = 1;
    refused(m, E_ONNX_ATTRIBUTE, "given twice");
    m = make_small();
    make_attr(m, m->graph.node[0], "", AT(INT));
    refused(m, E_ONNX_ATTRIBUTE, "no name");
    m = make_small();
    make_attr(m, m->graph.node[0], "u", AT(UNDEFINED));
    refused(m, E_ONNX_ATTRIBUTE, "no type");
    m = make_small();
    m->graph.node[0]->attribute[0]->type = AT(FLOAT);
    refused(m, E_ONNX_ATTRIBUTE, "another type");
    m = make_small();
    make_attr(m, m->graph.node[0], "t", AT(TENSOR));
    refused(m, E_ONNX_ATTRIBUTE, "no value");
    m = make_small();
    make_attr(m, m->graph.node[0], "r", AT(INT))->ref_attr_name = arena_strdup(m->arena, "alpha");
    refused(m, E_ONNX_ATTRIBUTE, "of a function");
    m = make_small();
    make_attr(m, m->graph.node[0], "tp", AT(TYPE_PROTO));
    refused(m, E_ONNX_ATTRIBUTE, "no supported operator");
}

Test(onnx, operator_sets)
{
    for (int64_t v = 5; v <= 20; v++) {
        struct maker *m = make_small();
        m->model.opset_import[0]->version = v;
        if (v >= 7 && v <= 17) {
            cr_expect_eq(taken(m)->opset, v);
            make_free(m);
        } else {
            refused(m, E_ONNX_OPSET, arena_printf(m->arena, "version %d ", (int)v));
        }
    }
    struct maker *m = make_small();
    m->model.n_opset_import = 0;
    refused(m, E_ONNX_OPSET, "does not say");
    m = make_small(); /* other domains may have any version, and the default one another name */
    m->model.opset_import[0]->domain = arena_strdup(m->arena, "ai.onnx");
    make_opset(m, "com.microsoft", 1);
    make_opset(m, "ai.onnx.ml", 99);
    taken(m);
    make_free(m);
}

Test(onnx, every_unknown_operator_is_listed)
{
    struct maker *m = make_small();
    make_node(m, "LSTM", "memory", "h", "p");
    make_node(m, "Rellu", "typo", "p", "q");
    Onnx__NodeProto *n = make_node(m, "TreeEnsemble", "trees", "q", "r");
    n->domain = arena_strdup(m->arena, "ai.onnx.ml");
    n = make_node(m, "Relu", "own", "r", "s");
    n->domain = arena_strdup(m->arena, "com.example");
    cr_expect(!make_import(m, NULL));
    cr_expect_eq(diag_errors(m->diag), 4, "%s", all_messages(m->arena, m->diag));
    cr_expect(said(m->diag, E_ONNX_OP, "memory") && said(m->diag, E_ONNX_OP, "'LSTM'"));
    cr_expect(said(m->diag, E_ONNX_OP, "'TreeEnsemble' of domain 'ai.onnx.ml'"));
    cr_expect(strstr(diag_at(m->diag, 0)->hint, "unroll"));
    cr_expect(strstr(diag_at(m->diag, 1)->hint, "'Relu'"));
    cr_expect(strstr(diag_at(m->diag, 3)->hint, "default domain"));
    cr_expect_str_eq(diag_at(m->diag, 0)->place.file, "made.onnx");
    make_free(m);
}

Test(onnx, gelu_of_another_domain)
{
    struct maker *m = make_small();
    make_node(m, "Gelu", "g", "y", "z")->domain = arena_strdup(m->arena, "com.microsoft");
    cr_expect(taken(m)->nodes.at[2].op == OP_gelu);
    make_free(m);
}

Test(onnx, control_flow_and_functions)
{
    struct maker *m = make_small();
    Onnx__GraphProto inner = ONNX__GRAPH_PROTO__INIT;
    Onnx__FunctionProto f = ONNX__FUNCTION_PROTO__INIT, *functions[] = {&f};
    make_attr(m, make_node(m, "If", "branch", "y", "z"), "then_branch", AT(GRAPH))->g = &inner;
    refused(m, E_ONNX_SUBGRAPH, "branch");

    m = make_small();
    f.name = (char *)"Twice";
    f.domain = (char *)"local";
    m->model.n_functions = 1;
    m->model.functions = functions;
    make_node(m, "Twice", "call", "y", "z")->domain = arena_strdup(m->arena, "local");
    refused(m, E_ONNX_FUNCTION, "call");
}

Test(onnx, dimensions_of_inputs)
{
    struct maker *m = make_new();
    make_input(m, "x", TT(FLOAT), DIMS(0, 3, 8, 8));
    make_output(m, "x");
    cr_expect_eq(graph_value(taken(m), 0)->shape.dim[0], 1);
    make_free(m);

    m = make_new();
    make_input(m, "x", TT(FLOAT), DIMS(-1, 3, -2, -3));
    make_output(m, "x");
    cr_expect(!make_import(m, NULL));
    cr_expect_eq(diag_errors(m->diag), 2);
    cr_expect(said(m->diag, E_ONNX_DIM, "input 'x': dimension 2 ('N-2')"));
    cr_expect(said(m->diag, E_ONNX_DIM, "dimension 3 ('N-3')"));
    cr_expect(diag_at(m->diag, 0)->hint);
    make_free(m);

    m = make_new();
    make_input(m, "x", TT(FLOAT), DIMS(1, 3))->type->tensor_type->shape->dim[1]->dim_value = -7;
    make_output(m, "x");
    refused(m, E_ONNX_DIM, "dimension 1 is -7");
    m = make_new();
    make_input(m, "x", TT(FLOAT), DIMS(1 << 30, 1 << 30));
    make_output(m, "x");
    refused(m, E_TOO_LARGE, "1073741824x1073741824");
    m = make_new();
    make_input(m, "x", TT(FLOAT), DIMS(1, 1, 1, 1, 1, 1, 1, 1, 1));
    make_output(m, "x");
    refused(m, E_ONNX_DIM, "9 dimensions");
    m = make_new();
    make_input(m, "x", TT(FLOAT), DIMS(1))->type->tensor_type->shape = NULL;
    make_output(m, "x");
    refused(m, E_ONNX_DIM, "no shape");
    m = make_new();
    make_input(m, "x", TT(STRING), DIMS(1));
    make_output(m, "x");
    refused(m, E_ONNX_TYPE, "STRING");
    m = make_new();
    make_input(m, "x", TT(FLOAT), DIMS(1))->type = NULL;
    make_output(m, "x");
    refused(m, E_ONNX_TYPE, "not a tensor");
}

Test(onnx, names)
{
    struct maker *m = make_small();
    make_node(m, "Relu", "again", "h", "y");
    refused(m, E_ONNX_NAME, "'y' is given to two values");
    m = make_small();
    make_raw(make_init(m, "w", TT(FLOAT), DIMS(1)), "\0\0\0\0", 4);
    refused(m, E_ONNX_NAME, "'w' is given to two values");
    m = make_small();
    make_input(m, "image", TT(FLOAT), DIMS(1));
    refused(m, E_ONNX_NAME, "'image' is given to two values");
    m = make_small();
    make_raw(make_init(m, "", TT(FLOAT), DIMS(1)), "\0\0\0\0", 4);
    refused(m, E_ONNX_NAME, "initializer 2 has no name");
    m = make_small();
    m->graph.input[0]->name = arena_strdup(m->arena, "");
    cr_expect(!make_import(m, NULL));
    cr_expect(said(m->diag, E_ONNX_NAME, "input 0 has no name"));
    make_free(m);
    m = make_small();
    make_node(m, "", "blank", "y", "z");
    refused(m, E_ONNX_NAME, "names no operator");
    m = make_small();
    make_output(m, "y");
    refused(m, E_ONNX_NAME, "output twice");
}

/* Two nodes of one name are a nuisance, not a problem: the second is renamed, with a warning. */
Test(onnx, node_names_are_made_unique)
{
    struct maker *m = make_small();
    make_node(m, "Relu", "dense", "y", "z");
    make_node(m, "Relu", "dense.1", "z", "u");
    make_node(m, "Relu", "Relu_1", "u",
              "v"); /* what the second node, which has no name, is called */
    struct graph *g = taken(m);
    cr_expect_str_eq(g->nodes.at[2].name, "dense.2");
    cr_expect_str_eq(g->nodes.at[3].name, "dense.1");
    cr_expect_str_eq(g->nodes.at[1].name, "Relu_1.1");
    cr_expect_str_eq(g->nodes.at[4].name, "Relu_1");
    cr_expect_eq(diag_errors(m->diag), 0);
    cr_expect(said(m->diag, W_ONNX_NAME, "'dense.2'"));
    make_free(m);
}

Test(onnx, edges)
{
    struct maker *m = make_small();
    make_node(m, "Add", "sum", "y,ghost", "z");
    refused(m, E_ONNX_DANGLING, "'Add' reads 'ghost'");
    m = make_small();
    make_output(m, "nothing");
    refused(m, E_ONNX_DANGLING, "output 1 of the graph reads 'nothing'");
    m = make_small();
    m->graph.n_output = 0;
    refused(m, E_ONNX_OUTPUT, "no output");
    m = make_small();
    m->model.graph = NULL;
    refused(m, E_ONNX_TRUNCATED, "no graph");
}

Test(onnx, number_of_inputs_and_outputs)
{
    struct maker *m = make_small();
    make_node(m, "Relu", "two", "y,h", "z");
    refused(m, E_ONNX_ARITY, "'Relu' has 2 inputs, it takes 1");
    m = make_small();
    make_node(m, "Conv", "c", "y", "z");
    refused(m, E_ONNX_ARITY, "'Conv' has 1 inputs, it takes 2 to 3");
    m = make_small();
    make_node(m, "Concat", "c", "", "z");
    refused(m, E_ONNX_ARITY, "at least 1");
    m = make_small();
    make_node(m, "Gemm", "g", "y,,b", "z");
    refused(m, E_ONNX_ARITY, "leaves out input 1");
    m = make_small();
    make_node(m, "Relu", "none", "y", "");
    refused(m, E_ONNX_ARITY, "no output");
    m = make_small();
    make_node(m, "Clip", "clip", "y,,b", "z"); /* optional in the middle, and trailing ones */
    make_node(m, "Clip", "clip2", "y,,", "u,,");
    struct graph *g = taken(m);
    cr_expect(g->nodes.at[2].in.len == 3 && g->nodes.at[2].in.at[1] == NONE);
    cr_expect(g->nodes.at[3].in.len == 1 && g->nodes.at[3].out.len == 1);
    make_free(m);
}

/* The outputs of a training BatchNormalization may be there as long as nobody reads them. */
Test(onnx, outputs_that_nobody_reads)
{
    struct maker *m = make_small();
    make_node(m, "BatchNormalization", "bn", "y,b,b,b,b", "z,mean,var");
    struct graph *g = taken(m);
    cr_expect_eq(g->nodes.at[2].out.len, 1);
    make_free(m);
    m = make_small();
    make_node(m, "BatchNormalization", "bn", "y,b,b,b,b", "z,mean,var");
    make_output(m, "var");
    refused(m, E_ONNX_ARITY, "has 3 outputs");
}

Test(onnx, order)
{
    struct maker *m = make_new();
    make_input(m, "x", TT(FLOAT), DIMS(1, 4));
    make_node(m, "Add", "last", "c,a", "y");
    make_node(m, "Relu", "third", "b", "c");
    make_node(m, "Relu", "second", "a", "b");
    make_node(m, "Relu", "first", "x", "a");
    make_output(m, "y");
    struct graph *g = taken(m);
    cr_assert_eq(g->nodes.len, 4);
    cr_expect_str_eq(g->nodes.at[0].name, "first");
    cr_expect_str_eq(g->nodes.at[3].name, "last");
    make_free(m);

    m = make_new();
    make_input(m, "x", TT(FLOAT), DIMS(1, 4));
    make_node(m, "Relu", "before", "x", "p");
    make_node(m, "Add", "one", "p,c", "a");
    make_node(m, "Relu", "two", "a", "b");
    make_node(m, "Relu", "three", "b", "c");
    make_node(m, "Relu", "after", "c", "y");
    make_output(m, "y");
    refused(m, E_ONNX_CYCLE, "3 nodes depend on each other in a circle: ");
    m = make_new();
    make_node(m, "Relu", "self", "y", "y");
    make_output(m, "y");
    refused(m, E_ONNX_CYCLE, "'self' -> 'self'");
}

Test(onnx, long_chain_backwards)
{
    struct maker *m = make_new();
    enum { N = 3000 };
    make_input(m, "v0", TT(FLOAT), DIMS(1, 4));
    for (int k = N; k > 0; k--)
        make_node(m, "Relu", arena_printf(m->arena, "n%d", k), arena_printf(m->arena, "v%d", k - 1),
                  arena_printf(m->arena, "v%d", k));
    make_output(m, arena_printf(m->arena, "v%d", N));
    struct graph *g = taken(m);
    cr_expect_str_eq(g->nodes.at[0].name, "n1");
    cr_expect_str_eq(g->nodes.at[N - 1].name, "n3000");
    make_free(m);
}

Test(onnx, all_problems_at_once)
{
    struct maker *m = make_small();
    m->model.opset_import[0]->version = 99;
    make_init(m, "bad", TT(FLOAT), DIMS(3));
    make_node(m, "GRU", "g", "y", "z");
    make_node(m, "Add", "sum", "z,ghost", "t");
    make_node(m, "Relu", "two", "t,t", "s");
    make_output(m, "nothing");
    cr_expect(!make_import(m, NULL));
    cr_expect_eq(diag_errors(m->diag), 6, "%s", all_messages(m->arena, m->diag));
    make_free(m);
}
