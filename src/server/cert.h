/* cert.h - a self-made certificate: EC P-256, valid for 30 years, for this
 * machine's name and localhost. Clients pin it on first use. */
#pragma once

#include "server/datadir.h"

/* Makes tls-cert.pem and tls-key.pem in the directory. Logs what is wrong. */
int cert_make(const struct datadir *d);
