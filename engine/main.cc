#include <cstdio>

int main() {
  std::puts("perigee");
  return 0;
}
