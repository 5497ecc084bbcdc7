/* model_files.h - files, by the page. */
#pragma once

#include "sim/roles/model.h"

struct m_file *m_file(struct model *m, uint64_t id); /* NULL: none */
bool m_file_reads(struct model *m, const struct m_file *f, uint64_t who);
/* f: what would be offered, its sender set. */
no m_may_offer(struct model *m, const struct m_file *f);
/* The contents are there, and the sender could have read them. */
bool m_file_had(struct model *m, const struct m_file *f);
no m_may_get(struct model *m, const struct m_file *f, uint64_t who);
no m_may_list(struct model *m, const struct m_file *where, uint64_t who);
no m_may_answer(const struct m_file *f, uint64_t who);
no m_may_cancel(struct model *m, const struct m_file *f, uint64_t who);
no m_may_delete(struct model *m, const struct m_file *f, uint64_t who);
/* All of it came: it is whole, or given up. */
void m_file_came(struct model *m, struct m_file *f, uint64_t size);
/* May this go on? */
bool m_may_go_on(struct model *m, const struct m_file *f, uint64_t who, bool sends);
