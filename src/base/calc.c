#include "base/calc.h"

#include <stdbool.h>
#include <string.h>

#include <gmp.h>

#include "base/err.h"

/* GMP's lowest layer on numbers of our own: at these sizes it takes its scratch
 * from the stack, so nothing here can run out of memory (GMP would abort). */
enum { LIMBS = CALC_DIGITS_MAX * 4 / GMP_NUMB_BITS + 2 }; /* a digit is less than 4 bits */

struct number {
    mp_limb_t limb[2 * LIMBS];
    mp_size_t n; /* without leading zero limbs; 0 is 0 */
    bool negative;
};

static void skip(const char **p)
{
    while (**p == ' ' || **p == '\t' || **p == '\n' || **p == '\r')
        ++*p;
}

/* A sign may stand before the digits, with nothing between. Leading zeros count
 * as digits: a number is as long as it was sent. */
static int number_parse(const char **p, struct number *ret)
{
    unsigned char values[CALC_DIGITS_MAX];
    const char *s = *p;
    size_t digits = 0, zeros = 0;

    ret->negative = *s == '-';
    s += *s == '-' || *s == '+';
    while (s[digits] >= '0' && s[digits] <= '9')
        digits++;
    if (digits == 0)
        return -ROOST_BAD_NUMBER;
    if (digits > CALC_DIGITS_MAX)
        return -ROOST_NUMBER_TOO_LONG;
    for (size_t i = 0; i < digits; i++)
        values[i] = (unsigned char)(s[i] - '0');
    while (zeros < digits && values[zeros] == 0)
        zeros++;
    ret->n = zeros < digits ? mpn_set_str(ret->limb, values + zeros, digits - zeros, 10) : 0;
    *p = s + digits;
    return 0;
}

static int parse(const char *s, struct number *a, char *ret_operator, struct number *b)
{
    skip(&s);
    int err = number_parse(&s, a);
    if (err)
        return err;
    skip(&s);
    if (!*s || !strchr("+-*/%", *s))
        return -ROOST_BAD_NUMBER;
    *ret_operator = *s++;
    skip(&s);
    err = number_parse(&s, b);
    if (err)
        return err;
    skip(&s);
    return *s ? -ROOST_BAD_NUMBER : 0;
}

static void trim(struct number *x)
{
    while (x->n > 0 && x->limb[x->n - 1] == 0)
        x->n--;
}

static int compare(const struct number *a, const struct number *b)
{
    if (a->n != b->n)
        return a->n < b->n ? -1 : 1;
    return a->n ? mpn_cmp(a->limb, b->limb, a->n) : 0;
}

static void add(struct number *x, const struct number *a, const struct number *b)
{
    bool less = compare(a, b) < 0;
    const struct number *big = less ? b : a, *small = less ? a : b;

    x->negative = big->negative;
    x->n = big->n;
    if (big->n == 0)
        return;
    if (a->negative != b->negative) {
        mpn_sub(x->limb, big->limb, big->n, small->limb, small->n);
    } else {
        x->limb[x->n] = mpn_add(x->limb, big->limb, big->n, small->limb, small->n);
        x->n++;
    }
    trim(x);
}

static void multiply(struct number *x, const struct number *a, const struct number *b)
{
    const struct number *big = a->n < b->n ? b : a, *small = a->n < b->n ? a : b;

    x->n = 0;
    x->negative = a->negative != b->negative;
    if (small->n == 0)
        return;
    mpn_mul(x->limb, big->limb, big->n, small->limb, small->n);
    x->n = big->n + small->n;
    trim(x);
}

/* Toward zero; the rest has the sign of a. b is not 0. */
static void divide(struct number *x, struct number *rest, const struct number *a,
                   const struct number *b)
{
    *rest = *a;
    x->n = 0;
    x->negative = a->negative != b->negative;
    if (compare(a, b) < 0)
        return;
    mpn_tdiv_qr(x->limb, rest->limb, 0, a->limb, a->n, b->limb, b->n);
    x->n = a->n - b->n + 1;
    rest->n = b->n;
    trim(x);
    trim(rest);
}

/* Behind what is there already. x is used up. */
static void print(char *ret, struct number *x)
{
    unsigned char values[2 * CALC_DIGITS_MAX + 16];
    size_t digits = x->n ? mpn_get_str(values, 10, x->limb, x->n) : 0, zeros = 0;

    ret += strlen(ret);
    while (zeros < digits && values[zeros] == 0)
        zeros++;
    if (zeros == digits) {
        *ret++ = '0';
    } else if (x->negative) {
        *ret++ = '-';
    }
    for (size_t i = zeros; i < digits; i++)
        *ret++ = (char)('0' + values[i]);
    *ret = '\0';
}

int calc(const char *expression, char ret[static CALC_RESULT_BYTES])
{
    struct number a, b, x, rest = { .n = 0 };
    char operator;
    int err = parse(expression, &a, &operator, & b);

    if (err)
        return err;
    if ((operator== '/' || operator== '%') && b.n == 0)
        return -ROOST_DIVISION_BY_ZERO;
    if (operator== '-')
        b.negative = !b.negative;
    if (operator== '+' || operator== '-')
        add(&x, &a, &b);
    else if (operator== '*')
        multiply(&x, &a, &b);
    else
        divide(&x, &rest, &a, &b);
    ret[0] = '\0';
    print(ret, operator== '%' ? &rest : & x);
    if (operator== '/' && rest.n) {
        strcat(ret, " remainder ");
        print(ret, &rest);
    }
    return 0;
}
