#include "base/calc.h"
#include "hub/handlers_account.h"

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
