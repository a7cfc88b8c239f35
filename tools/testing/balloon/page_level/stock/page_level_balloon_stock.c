// SPDX-License-Identifier: GPL-2.0
/* The same, built for the kernel's own core. */
#include "../page_level_balloon.c"
