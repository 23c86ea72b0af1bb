#pragma once

#if !__has_include(<libpq-fe.h>)
#error "libpq-fe.h is missing. On Debian: apt-get install libpq-dev"
#endif
#include <libpq-fe.h>
