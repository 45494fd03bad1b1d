/* test_tune.c - whole trainings: what they reach, that they are reproducible and resumable, what
 * they refuse; and that what is written is what was trained. */
#include "tune/internal.h"

#include "ir/pow2.h"
#include "nets.h"

#include <sys/stat.h>
#include <sys/wait.h>

enum { IMAGES = 600, CLASSES = 4, EPOCHS = 14 };

/* 8x8 images with a bar in one of four places, some noise, and a network that does not know yet. */
struct task {
    struct net t;
    struct tune_data data;
    int64_t labels[IMAGES];
};

static void
make(struct task *k)
{
    struct net t = net_new(13);
    uint32_t x = graph_input(t.g, "x", DT_F32, DIMS(1, 1, 8, 8));
    uint32_t in[] = {x, net_const(&t, DIMS(3, 1, 3, 3), -0.4, 0.4), net_const(&t, DIMS(3), 0, 0)};
    uint32_t v = net_node(&t, OP_conv, 3, in);
    v = OP1(&t, OP_flatten, OP1(&t, OP_relu, v));
    uint32_t one[] = {v, net_const(&t, DIMS(108, 20), -0.2, 0.2), net_const(&t, DIMS(20), 0, 0)};
    v = OP1(&t, OP_relu, net_node(&t, OP_gemm, 3, one));
    uint32_t two[] = {v, net_const(&t, DIMS(20, CLASSES), -0.4, 0.4),
                      net_const(&t, DIMS(CLASSES), 0, 0)};
    net_output(&t, net_node(&t, OP_gemm, 3, two));
    cr_assert(graph_infer(t.g, t.d), "%s", net_errors(&t));
    net_images(&t, IMAGES, 0.5);
    for (int i = 0; i < IMAGES; i++) {
        k->labels[i] = i % CLASSES;
        for (int p = 0; p < 8; p++) {
            int at = k->labels[i] < 2 ? 8 * (2 + 3 * (int)k->labels[i]) + p
                                      : 8 * p + 2 + 3 * ((int)k->labels[i] - 2);
            t.images[64 * i + at] += 1;
        }
    }
    k->t = t;
    k->data = (struct tune_data){t.images, k->labels, IMAGES};
}

static double
accuracy(struct task *k)
{
    float *out = net_run(&k->t, true);
    int correct = 0;
    for (int i = 0; i < IMAGES; i++) {
        int best = 0;
        for (int c = 1; c < CLASSES; c++)
            best = out[CLASSES * i + c] > out[CLASSES * i + best] ? c : best;
        correct += best == k->labels[i];
    }
    return (double)correct / IMAGES;
}

/* x^2 / 8 + x / 2 + 1 / 4 on [-4, 4]. */
static struct poly quadratic = {.degree = 2,
                                .rows = 1,
                                .coef = (double[]){1.25, 2, 1},
                                .center = (double[]){0},
                                .radius = (double[]){4}};

static void
use_quadratics(struct graph *g)
{
    for (uint32_t k = 0; k < g->nodes.len; k++)
        if (g->nodes.at[k].op == OP_relu)
            g->nodes.at[k].poly = &quadratic;
}

static const struct tune_options all = {
    .epochs = EPOCHS, .batch = 32, .rate = 0.01, .seed = 7, .prune = 0.8, .terms = 1, .bits = 4};

Test(tune, prunes_rounds_and_still_knows)
{
    struct task k;
    struct tune_report r;
    make(&k);
    use_quadratics(k.t.g);
    cr_expect(accuracy(&k) < 0.6);
    cr_assert(tune(k.t.g, &k.data, &all, &r, k.t.d), "%s", net_errors(&k.t));
    cr_expect(accuracy(&k) > 0.97, "%g", accuracy(&k));
    cr_assert(r.n == 3 && r.epochs == EPOCHS);
    double weights = 0, zeros = 0;
    for (uint32_t l = 0; l < r.n; l++) {
        struct pow2_grid g = {r.layers[l].lo, r.layers[l].hi, 1};
        uint32_t at;
        cr_assert(g.hi - g.lo == 3);
        cr_assert(map_get(&k.t.g->node_names, r.layers[l].name, &at));
        const struct value *v = graph_value(k.t.g, k.t.g->nodes.at[at].in.at[1]);
        for (uint32_t i = 0; i < r.layers[l].weights; i++)
            cr_assert(pow2_holds(&g, (double)v->data.f[i]), "%g", (double)v->data.f[i]);
        weights += r.layers[l].weights;
        zeros += r.layers[l].zeros;
        cr_expect(r.layers[l].zeros < r.layers[l].weights);
    }
    cr_expect(zeros >= floor(0.8 * weights), "%g of %g", zeros, weights);
    net_free(&k.t);
}

static void
same_weights(const struct graph *a, const struct graph *b)
{
    for (uint32_t n = 0; n < a->nodes.len; n++)
        for (uint32_t i = 1; i < a->nodes.at[n].in.len; i++) {
            const struct value *v = graph_value(a, a->nodes.at[n].in.at[i]);
            const struct value *w = graph_value(b, b->nodes.at[n].in.at[i]);
            if (v->kind == VALUE_CONST)
                cr_assert(memcmp(v->data.f, w->data.f,
                                 (size_t)shape_size(&v->shape) * sizeof(float)) == 0);
        }
}

static void
die_in_epoch_ten(void *user, const char *what, uint32_t done, uint32_t of)
{
    (void)user;
    (void)what;
    if (done > of / EPOCHS * 9 + 3)
        _exit(0);
}

Test(tune, a_killed_training_goes_on_to_the_same_end)
{
    struct task one, two;
    struct tune_report r;
    struct tune_options o = all;
    char path[] = "/tmp/olac-test-tune-XXXXXX";
    int fd = mkstemp(path);
    cr_assert(fd >= 0);
    close(fd);
    unlink(path);
    make(&one);
    make(&two);
    o.checkpoint = path;
    pid_t child = fork(); /* before this process has threads */
    if (child == 0) {
        o.progress = die_in_epoch_ten;
        tune(two.t.g, &two.data, &o, &r, two.t.d);
        _exit(1);
    }
    int status;
    waitpid(child, &status, 0);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "it was not killed");
    cr_assert(access(path, R_OK) == 0);
    o.checkpoint = NULL;
    cr_assert(tune(one.t.g, &one.data, &o, &r, one.t.d));
    o.checkpoint = path;
    cr_assert(tune(two.t.g, &two.data, &o, &r, two.t.d), "%s", net_errors(&two.t));
    same_weights(one.t.g, two.t.g);

    /* another training does not take it up */
    struct task three;
    make(&three);
    o.seed++;
    cr_assert(!tune(three.t.g, &three.data, &o, &r, three.t.d));
    cr_expect(diag_at(three.t.d, 0)->code == E_TUNE_CHECKPOINT);
    unlink(path);
}

/* A training goes on with the teacher it began with, or without one when it had none. */
Test(tune, another_teacher_does_not_take_over)
{
    struct task pupil, teachers[2];
    struct tune_report r;
    struct tune_options o = {.epochs = 1, .batch = 64, .seed = 3};
    char path[] = "/tmp/olac-test-tune-XXXXXX";
    int fd = mkstemp(path);
    cr_assert(fd >= 0);
    close(fd);
    o.checkpoint = path;
    for (int k = 0; k < 2; k++) {
        make(&teachers[k]);
        memset(teachers[k].t.g->hash, k + 1, sizeof teachers[k].t.g->hash);
    }
    struct graph *const by[] = {NULL, teachers[0].t.g, teachers[1].t.g};
    for (int began = 0; began < 3; began++) {
        unlink(path);
        make(&pupil);
        o.teacher = by[began];
        cr_assert(tune(pupil.t.g, &pupil.data, &o, &r, pupil.t.d), "%s", net_errors(&pupil.t));
        net_free(&pupil.t);
        for (int next = 0; next < 3; next++) {
            make(&pupil);
            o.teacher = by[next];
            bool went_on = tune(pupil.t.g, &pupil.data, &o, &r, pupil.t.d);
            cr_expect(went_on == (next == began), "%d %d", began, next);
            cr_expect(went_on || diag_at(pupil.t.d, 0)->code == E_TUNE_CHECKPOINT);
            net_free(&pupil.t);
        }
    }
    unlink(path);
}

Test(tune, what_is_written_is_read_again)
{
    struct task k;
    struct tune_report r;
    struct str s = {0};
    make(&k);
    use_quadratics(k.t.g);
    struct tune_options o = {.epochs = 1, .rate = 0.01, .momentum = true, .augment = 0.5};
    cr_assert(tune(k.t.g, &k.data, &o, &r, k.t.d), "%s", net_errors(&k.t));
    float *before = net_run(&k.t, true);
    tune_expand(k.t.g);
    for (uint32_t n = 0; n < k.t.g->nodes.len; n++)
        cr_assert(!k.t.g->nodes.at[n].poly);
    cr_assert(onnx_format(k.t.g, &s, k.t.d));
    struct graph *again =
        import_onnx(k.t.a, "again.onnx", NULL, (const uint8_t *)s.text, s.len, k.t.d);
    cr_assert(again && graph_infer(again, k.t.d), "%s", net_errors(&k.t));
    struct str second = {0}, third = {0}; /* constants are in the order of the file from now on */
    cr_assert(onnx_format(again, &second, k.t.d));
    const uint8_t *bytes = (const uint8_t *)second.text;
    struct graph *twice = import_onnx(k.t.a, "again.onnx", NULL, bytes, second.len, k.t.d);
    cr_assert(twice && graph_infer(twice, k.t.d) && onnx_format(twice, &third, k.t.d));
    cr_expect(second.len == third.len && memcmp(second.text, third.text, third.len) == 0);
    str_free(&third);
    k.t.g = again;
    float *after = net_run(&k.t, false);
    for (int i = 0; i < IMAGES * CLASSES; i++)
        cr_assert(fabs((double)before[i] - (double)after[i]) <
                  1e-3 * (1 + fabs((double)before[i])));
    str_free(&s);
    str_free(&second);
    net_free(&k.t);
}

static void
refused(struct tune_options o, int64_t label, enum code code)
{
    struct task k;
    struct tune_report r;
    make(&k);
    k.labels[17] = label;
    cr_assert(!tune(k.t.g, &k.data, &o, &r, k.t.d));
    cr_expect(diag_at(k.t.d, 0)->code == code, "%s", net_errors(&k.t));
    net_free(&k.t);
}

Test(tune, refuses_what_cannot_be)
{
    struct tune_options o = all;
    refused(o, CLASSES, E_TUNE_LABELS);
    refused(o, -1, E_TUNE_LABELS);
    o.epochs = 3;
    refused(o, 0, E_TUNE_OPTION);
    o = all;
    o.prune = 0.999;
    refused(o, 0, E_TUNE_PRUNE);
    o = all;
    o.bits = 12;
    refused(o, 0, E_QUANT_BITS);
    refused((struct tune_options){.epochs = 3, .momentum = true, .rate = 1e6}, 0, E_TUNE_DIVERGED);
}

Test(tune, privacy_is_kept_within_its_budget_or_refused)
{
    struct task k;
    struct tune_report r;
    struct tune_options o = {
        .epochs = 30, .batch = 60, .rate = 0.02, .epsilon = 8, .delta = 1e-3, .clip = 1};
    make(&k);
    cr_assert(tune(k.t.g, &k.data, &o, &r, k.t.d), "%s", net_errors(&k.t));
    cr_expect(r.epsilon <= 8 && r.epsilon > 7.9 && r.noise > 0.3, "%g %g", r.epsilon, r.noise);
    cr_expect(isnan(r.loss) && isnan(r.accuracy), "they tell of the data");
    cr_expect(accuracy(&k) > 0.5, "%g", accuracy(&k));
    net_free(&k.t);
    o.epsilon = 1e-4;
    refused(o, 0, E_TUNE_PRIVATE);
    o.epsilon = 8;
    o.prune = 0.5;
    refused(o, 0, E_TUNE_OPTION);
}

static const char ledger_head[] =
    "olac privacy ledger 1: share of the data a step takes, noise, steps\n";

static void
write_text(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    cr_assert(f && fputs(text, f) >= 0 && fclose(f) == 0);
}

Test(tune, an_epsilon_is_spent_by_all_trainings_together)
{
    char path[] = "/tmp/olac-test-ledger-XXXXXX";
    struct task k;
    struct tune_report r, second;
    struct tune_options o = {
        .epochs = 4, .batch = 60, .rate = 0.02, .epsilon = 4, .delta = 1e-3, .clip = 1};
    int fd = mkstemp(path);
    cr_assert(fd >= 0);
    close(fd);
    unlink(path);
    o.ledger = path;
    make(&k);
    cr_assert(tune(k.t.g, &k.data, &o, &r, k.t.d), "%s", net_errors(&k.t));
    cr_expect(r.trainings == 0 && r.epsilon <= 4 && r.epsilon > 3.9);
    net_free(&k.t);
    refused(o, 0, E_TUNE_PRIVATE); /* again: nothing is left */
    o.epsilon = 4.5;
    make(&k);
    cr_assert(tune(k.t.g, &k.data, &o, &second, k.t.d), "%s", net_errors(&k.t));
    cr_expect(second.trainings == 1 && second.epsilon <= 4.5 && second.epsilon > 4.4);
    cr_expect(second.noise > r.noise, "%g %g", second.noise, r.noise);
    net_free(&k.t);
    refused(o, 0, E_TUNE_PRIVATE);
    static const char *const wrong[] = {"",
                                        "olac",
                                        "0.1 1 10\n",
                                        "%s0.1 1\n",
                                        "%s0 1 10\n",
                                        "%s0.1 1 10",
                                        "%s2 1 10\n",
                                        "%s0.1 nan 10\n",
                                        "%s0.1 1 -1\n",
                                        "%s0.1 1 1e99\n",
                                        "%s0.1 1 10\n\n"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char text[256];
        snprintf(text, sizeof text, "%s%s", wrong[i][0] == '%' ? ledger_head : "",
                 wrong[i] + (wrong[i][0] == '%' ? 2 : 0));
        write_text(path, text);
        refused(o, 0, E_TUNE_LEDGER);
    }
    unlink(path);
}

/* What cannot be read is not taken for nothing, and stays as it is. */
Test(tune, a_ledger_that_cannot_be_read_is_refused)
{
    char dir[] = "/tmp/olac-test-ledger-XXXXXX", path[64], target[64];
    struct tune_options o = {
        .epochs = 1, .batch = 60, .rate = 0.02, .epsilon = 4, .delta = 1e-3, .clip = 1};
    struct stat st;
    cr_assert(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/ledger", dir);
    snprintf(target, sizeof target, "%s/none", dir);
    o.ledger = path;
    const char *const to[] = {path, target}; /* ELOOP; a folder that is not mounted */
    for (int k = 0; k < 2; k++) {
        cr_assert(symlink(to[k], path) == 0);
        refused(o, 0, E_TUNE_LEDGER);
        cr_expect(lstat(path, &st) == 0 && S_ISLNK(st.st_mode));
        unlink(path);
    }
    cr_assert(mkdir(path, 0700) == 0);
    refused(o, 0, E_TUNE_LEDGER);
    rmdir(path);
    write_text(path, ledger_head);
    if (geteuid() != 0) { /* who may read everything */
        cr_assert(chmod(path, 0) == 0);
        refused(o, 0, E_TUNE_LEDGER);
    }
    unlink(path);
    write_text(path, ledger_head);
    FILE *f = fopen(path, "a");
    cr_assert(f && fputs("0.1 1e-200 10\n", f) >= 0 && fclose(f) == 0);
    refused(o, 0, E_TUNE_PRIVATE); /* a line of no noise spent everything */
    unlink(path);
    cr_expect(rmdir(dir) == 0, "something else was left there");
}

/* Both of two trainings that began with the same ledger are in it; a third is past epsilon. */
Test(tune, trainings_side_by_side_are_both_written_down)
{
    char path[] = "/tmp/olac-test-ledger-XXXXXX", text[512] = "";
    struct net owner = net_new(1);
    struct training t[3];
    int fd = mkstemp(path);
    cr_assert(fd >= 0);
    close(fd);
    unlink(path);
    for (int k = 0; k < 3; k++) {
        t[k] = (struct training){.arena = owner.a,
                                 .d = owner.d,
                                 .noise = 2 + k,
                                 .o = {.ledger = path, .epsilon = 4, .delta = 1e-3}};
        cr_assert(ledger_read(&t[k]) && t[k].trainings == 0);
    }
    cr_assert(ledger_add(&t[0], 0.1, 10), "%s", net_errors(&owner));
    cr_assert(ledger_add(&t[1], 0.1, 20), "%s", net_errors(&owner));
    cr_expect(t[1].trainings == 1 && t[1].spent > t[0].spent && t[0].spent > 0);
    cr_assert(!ledger_add(&t[2], 0.5, 1e6));
    cr_expect(diag_at(owner.d, 0)->code == E_TUNE_PRIVATE);
    FILE *f = fopen(path, "r");
    cr_assert(f);
    text[fread(text, 1, sizeof text - 1, f)] = 0;
    fclose(f);
    cr_expect(strncmp(text, ledger_head, strlen(ledger_head)) == 0);
    double v[6];
    int n = sscanf(text + strlen(ledger_head), "%lf %lf %lf\n%lf %lf %lf\n", v, v + 1, v + 2, v + 3,
                   v + 4, v + 5);
    cr_expect(n == 6 && v[1] == 2 && v[2] == 10 && v[4] == 3 && v[5] == 20, "%s", text);
    cr_expect(strchr(strchr(text + strlen(ledger_head), '\n') + 1, '\n')[1] == 0, "%s", text);
    unlink(path);
    /* what was there before is gone */
    struct diag *d = diag_new();
    t[1].d = d;
    cr_expect(!ledger_add(&t[1], 0.1, 20) && diag_at(d, 0)->code == E_TUNE_LEDGER);
    cr_expect(access(path, F_OK) != 0);
    diag_free(d);
    net_free(&owner);
}

static void
spend_all(void *user, const char *what, uint32_t done, uint32_t of)
{
    const char *path = user;

    (void)what;
    (void)of;
    if (done == 1)
        write_text(path, "olac privacy ledger 1: share of the data a step takes, noise, steps\n"
                         "0.5 0.7 100\n");
}

Test(tune, what_another_training_spent_meanwhile_counts)
{
    char path[] = "/tmp/olac-test-ledger-XXXXXX";
    struct tune_options o = {.epochs = 1,
                             .batch = 60,
                             .rate = 0.02,
                             .epsilon = 4,
                             .delta = 1e-3,
                             .clip = 1,
                             .ledger = path,
                             .progress = spend_all,
                             .user = path};
    int fd = mkstemp(path);
    cr_assert(fd >= 0);
    close(fd);
    unlink(path);
    refused(o, 0, E_TUNE_PRIVATE);
    unlink(path);
}

/* A network of four outputs that knows, and one that does not: the second learns from labels that
 * are wrong, and from the first. */
Test(tune, a_teacher_is_listened_to)
{
    struct task known, alone, taught;
    struct tune_report r;
    struct tune_options o = {.epochs = 8, .batch = 32, .rate = 0.01, .seed = 3};
    make(&known);
    cr_assert(tune(known.t.g, &known.data, &o, &r, known.t.d), "%s", net_errors(&known.t));
    cr_assert(accuracy(&known) > 0.97);
    make(&alone);
    make(&taught);
    for (int i = 0; i < IMAGES; i++)
        if (i * 7 % 10 < 6)
            alone.labels[i] = taught.labels[i] = (i / CLASSES * 5 + i) % CLASSES;
    cr_assert(tune(alone.t.g, &alone.data, &o, &r, alone.t.d), "%s", net_errors(&alone.t));
    o.teacher = known.t.g;
    cr_assert(tune(taught.t.g, &taught.data, &o, &r, taught.t.d), "%s", net_errors(&taught.t));
    for (int i = 0; i < IMAGES; i++)
        alone.labels[i] = taught.labels[i] = i % CLASSES;
    cr_expect(accuracy(&taught) > accuracy(&alone), "%g %g", accuracy(&taught), accuracy(&alone));
    cr_expect(accuracy(&taught) > 0.9, "%g", accuracy(&taught));

    struct net other = net_new(5);
    uint32_t x = graph_input(other.g, "x", DT_F32, DIMS(1, 1, 8, 7));
    uint32_t in[] = {OP1(&other, OP_flatten, x), net_const(&other, DIMS(56, CLASSES), -1, 1)};
    net_output(&other, net_node(&other, OP_matmul, 2, in));
    cr_assert(graph_infer(other.g, other.d));
    o.teacher = other.g;
    refused(o, 0, E_TUNE_OPTION);
}

/* Two layers of the same weights: the one that is used 16 times loses more of them, and neither
 * loses its largest. */
Test(tune, weights_that_are_used_often_go_first)
{
    enum { N = 50 };
    float weight[2 * N];
    uint8_t entry[2 * N];
    const struct learner_param params[2] = {{.n = N, .uses = 1, .data = weight},
                                            {.n = N, .uses = 16, .data = weight + N, .first = N}};
    struct training t = {
        .params = params, .n_params = 2, .size = 2 * N, .latent = weight, .entry = entry};
    for (int i = 0; i < 2 * N; i++)
        weight[i] = (float)(i % N + 1) * (i % 2 ? -0.01f : 0.01f);
    for (int percent = 0; percent < 98; percent += 7) {
        int pruned[2] = {0};
        tune_prune(&t, percent / 100.0);
        for (int i = 0; i < 2 * N; i++)
            pruned[i / N] += entry[i] == PRUNED;
        cr_expect(pruned[0] + pruned[1] == 2 * N * percent / 100);
        cr_expect(pruned[1] >= pruned[0]);
        cr_expect(percent < 20 || percent > 80 || pruned[1] > pruned[0] + 5, "%d %d", pruned[0],
                  pruned[1]);
        cr_expect(entry[N - 1] == FREE && entry[2 * N - 1] == FREE);
    }
}
