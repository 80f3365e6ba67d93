#include "server/options.h"
