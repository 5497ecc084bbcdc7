/* files_get.h - the client of the file server: lists, or gets one file after the other. */
#pragma once

#include "lab/classics/desk.h"

/* The names are the words of the command; none: a listing. An exit status. */
int files_get(struct desk *d);
