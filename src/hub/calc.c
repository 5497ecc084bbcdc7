#include "hub/calc.h"

#include <stdbool.h>
#include <string.h>

#include <gmp.h>

#include "base/err.h"
#include "hub/handlers_account.h"

static void skip(const char **p)
{
    while (**p == ' ' || **p == '\t' || **p == '\n' || **p == '\r')
        ++*p;
}

/* A sign may stand before the digits, with nothing between. Leading zeros count
 * as digits: a number is as long as it was sent. */
static int number(const char **p, char ret[static CALC_DIGITS_MAX + 2])
{
    const char *start = *p;
    size_t n = 0, digits = 0;

    if (*start == '-' || *start == '+') {
        if (*start == '-')
            ret[n++] = '-';
        start++;
    }
    while (start[digits] >= '0' && start[digits] <= '9')
        digits++;
    if (digits == 0)
        return -ROOST_BAD_NUMBER;
    if (digits > CALC_DIGITS_MAX)
        return -ROOST_NUMBER_TOO_LONG;
    memcpy(ret + n, start, digits);
    ret[n + digits] = '\0';
    *p = start + digits;
    return 0;
}

static int parse(const char *s, char a[static CALC_DIGITS_MAX + 2], char *ret_operator,
                 char b[static CALC_DIGITS_MAX + 2])
{
    skip(&s);
    int err = number(&s, a);
    if (err)
        return err;
    skip(&s);
    if (!*s || !strchr("+-*/%", *s))
        return -ROOST_BAD_NUMBER;
    *ret_operator = *s++;
    skip(&s);
    err = number(&s, b);
    if (err)
        return err;
    skip(&s);
    return *s ? -ROOST_BAD_NUMBER : 0;
}

static void print(char *ret, const mpz_t a, char operator, const mpz_t b)
{
    mpz_t x, rest;

    mpz_init(x);
    mpz_init(rest);
    switch (operator) {
    case '+':
        mpz_add(x, a, b);
        break;
    case '-':
        mpz_sub(x, a, b);
        break;
    case '*':
        mpz_mul(x, a, b);
        break;
    case '/':
        mpz_tdiv_qr(x, rest, a, b);
        break;
    default:
        mpz_tdiv_r(x, a, b);
        break;
    }
    mpz_get_str(ret, 10, x);
    if (mpz_sgn(rest) != 0) {
        strcat(ret, " remainder ");
        mpz_get_str(ret + strlen(ret), 10, rest);
    }
    mpz_clear(rest);
    mpz_clear(x);
}

int calc(const char *expression, char ret[static CALC_RESULT_BYTES])
{
    char left[CALC_DIGITS_MAX + 2], right[CALC_DIGITS_MAX + 2], operator;
    mpz_t a, b;
    int err = parse(expression, left, &operator, right);

    if (err)
        return err;
    mpz_init_set_str(a, left, 10);
    mpz_init_set_str(b, right, 10);
    if ((operator== '/' || operator== '%') && mpz_sgn(b) == 0)
        err = -ROOST_DIVISION_BY_ZERO;
    else
        print(ret, a, operator, b);
    mpz_clear(b);
    mpz_clear(a);
    return err;
}

int calc_on_message(struct hub *h, struct request *q)
{
    Roost__Reply reply = ROOST__REPLY__INIT;
    Roost__Answer answer = ROOST__ANSWER__INIT;
    char text[CALC_RESULT_BYTES];
    int err = calc(q->msg->calc->expression, text);

    if (err)
        return err;
    answer.text = text;
    reply.result_case = ROOST__REPLY__RESULT_ANSWER;
    reply.answer = &answer;
    return reply_with(h, q, &reply);
}
