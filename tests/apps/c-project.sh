# gcc and make: a project of several files with a static and a shared library; optimised, with debug information, and incremental.
# time: 240
mkdir -p src && cd src
cat > shape.h <<'C'
#pragma once
struct shape { double w, h; };
double area(const struct shape *s);
int fibonacci(int n);
C
cat > area.c <<'C'
#include "shape.h"
double area(const struct shape *s) { return s->w * s->h; }
C
cat > fibonacci.c <<'C'
#include "shape.h"
int fibonacci(int n) { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2); }
C
cat > main.c <<'C'
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "shape.h"
static __thread int mine;
static void *run(void *n) { mine = fibonacci((int)(long)n); return (void *)(long)mine; }
int main(int argc, char **argv) {
    pthread_t t[4];
    struct shape s = {2, 3.5};
    for (long i = 0; i < 4; i++) pthread_create(&t[i], NULL, run, (void *)(10 + i));
    for (int i = 0; i < 4; i++) { void *r; pthread_join(t[i], &r); printf("%ld ", (long)r); }
    printf("%g %.4f %s %d\n", area(&s), sqrt(2), strerror(ENOENT), argc > 1 ? atoi(argv[1]) : 0);
    return argc;
}
C
cat > Makefile <<'M'
CFLAGS = -O2 -g -Wall -Wextra -Werror
all: program
libarea.a: area.o
	$(AR) rcs $@ $^
libfibonacci.so: fibonacci.c
	$(CC) $(CFLAGS) -shared -fPIC -o $@ $<
program: main.o libarea.a libfibonacci.so
	$(CC) -o $@ main.o libarea.a -L. -lfibonacci -Wl,-rpath,'$$ORIGIN' -lm -pthread
%.o: %.c shape.h
	$(CC) $(CFLAGS) -c -o $@ $<
M
make -s -j2 && ./program 42; echo "status $?"
touch area.c && make -n | grep -c -- '-c -o'; make -s && make -q && echo 'up to date'
readelf -d program | grep -c NEEDED; nm -D libfibonacci.so | grep -o 'T fibonacci'; gdb --version | head -1 | cut -d' ' -f1-2
cc -O2 -static -o fixed main.c area.c fibonacci.c -lm && ./fixed 7; echo "status $?"
printf '%s\n' 'int main(void) { int unused; return x; }' >bad.c; cc -Wall bad.c 2>&1 | grep -o 'error:.*'; echo "status ${PIPESTATUS[0]}"
cat > c++.cc <<'C'
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>
int main() {
    std::map<std::string, int> m{{"b", 2}, {"a", 1}};
    std::thread([&] { m["c"] = 3; }).join();
    try { m.at("d"); } catch (const std::out_of_range &) { std::cout << "caught\n"; }
    for (auto &[k, v] : m) std::cout << k << v << '\n';
}
C
g++ -std=c++17 -o c++ c++.cc && ./c++
