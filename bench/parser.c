// http_parser_execute alone, with callbacks that do nothing, on the bytes of one request again and again.
// Usage: parser FILE COUNT. Prints one JSON object; the instructions are counted from outside.
#define _GNU_SOURCE
#include <http_parser.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static char bytes[65536];
static size_t size;
static unsigned long complete;

static int on_event(http_parser* parser) {
  (void)parser;
  return 0;
}

static int on_data(http_parser* parser, const char* at, size_t length) {
  (void)parser, (void)at, (void)length;
  return 0;
}

static int on_complete(http_parser* parser) {
  (void)parser;
  complete++;
  return 0;
}

static const http_parser_settings kSettings = {.on_message_begin = on_event,
                                               .on_url = on_data,
                                               .on_header_field = on_data,
                                               .on_header_value = on_data,
                                               .on_headers_complete = on_event,
                                               .on_body = on_data,
                                               .on_message_complete = on_complete};

static void read_request(const char* path) {
  FILE* file = fopen(path, "rb");
  if (file == NULL) {
    perror(path);
    exit(1);
  }
  size = fread(bytes, 1, sizeof bytes, file);
  fclose(file);
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec * 1e-9;
}

int main(int argc, char** argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: parser FILE COUNT\n");
    return 2;
  }
  read_request(argv[1]);
  unsigned long count = strtoul(argv[2], NULL, 10);
  http_parser parser;
  http_parser_init(&parser, HTTP_REQUEST);
  double start = now();
  for (unsigned long i = 0; i < count; i++) {
    if (http_parser_execute(&parser, &kSettings, bytes, size) != size) {
      fprintf(stderr, "parser: %s\n", http_errno_description(HTTP_PARSER_ERRNO(&parser)));
      return 1;
    }
  }
  double seconds = now() - start;
  printf("{\"requests\": %lu, \"seconds\": %.9f}\n", complete, seconds);
  return complete == count ? 0 : 1;
}
