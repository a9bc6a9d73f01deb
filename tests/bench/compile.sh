# gcc and make on a project of 12 files.
need gcc make
for f in {1..12}; do
    { for i in {1..60}; do echo "int f${f}_$i(int x) { int s = $i; for (int k = 0; k < x; k++) s = s * 31 + (k ^ $f); return s; }"; done; } > part$f.c
done
{ for f in {1..12}; do echo "int f${f}_1(int);"; done; echo 'int main(void) { return (f1_1(3) + f12_1(4)) & 0; }'; } > main.c
printf 'prog: %s main.o\n\tgcc -o prog $^\n%%.o: %%.c\n\tgcc -O2 -c -o $@ $<\n' "$(echo part{1..12}.o)" > Makefile
build() { make -s; }
report_seconds "compile 13 files and link" build
./prog
