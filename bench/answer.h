// Judges answers: status 200, a Content-Length, a whole body and, where one is wanted, exactly that one.
#pragma once
#include <stddef.h>

// kBad: framed but not what was wanted; kBroken: the connection cannot go on
enum verdict { kPartial, kGood, kBad, kBroken };

// From now on every body must be exactly this; any body is good before.
void want_body(const char* body);

// Judges the answer `data` begins with and says how many bytes it has.
enum verdict judge(const char* data, size_t size, size_t* used);
