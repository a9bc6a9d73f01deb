# Perl: hashes, regular expressions, fork and wait, pipes, sockets, modules of its library.
cat > t.pl <<'P'
use strict; use warnings;
use POSIX qw(:sys_wait_h floor); use List::Util qw(sum max); use Data::Dumper; use File::Temp qw(tempdir); use Socket; use Time::HiRes ();
use IO::Select; use Digest::SHA qw(sha256_hex); use Storable qw(dclone); use threads;
$| = 1; $Data::Dumper::Sortkeys = 1; $Data::Dumper::Indent = 1;
my %count; $count{$_}++ for "the quick brown fox jumps over the lazy dog the end" =~ /\w+/g;
print join(" ", map { "$_=$count{$_}" } sort keys %count), "\n";
print Dumper(dclone({ list => [1 .. 3], sum => sum(1 .. 100), max => max(3, 9, 2), floor => floor(-1.5) }));
print sha256_hex("abc"), "\n";
my @children = map { my $n = $_; my $pid = fork // die; exit($n) if !$pid; $pid } 1 .. 5;
print join(",", map { waitpid($_, 0); $? >> 8 } @children), "\n";
socketpair(my $a, my $b, AF_UNIX, SOCK_STREAM, PF_UNSPEC) or die "$!";
if (!fork) { close $a; syswrite($b, "from the child\n"); exit 0 }
close $b; print IO::Select->new($a)->can_read(30) ? scalar(<$a>) : "nothing\n"; wait;
open(my $sort, "|-", "sort -n") or die; print $sort "$_\n" for 30, 4, 100; close $sort;
print "status $?\n"; my @lines = `printf 'x\\ny\\n'`; print scalar(@lines), " lines\n";
local $SIG{ALRM} = sub { die "alarm\n" }; eval { Time::HiRes::ualarm(50_000); select(undef, undef, undef, 30); }; print $@;
my $dir = tempdir(CLEANUP => 1); open(my $out, ">", "$dir/f") or die; print $out "text\n" x 1000; close $out; print -s "$dir/f", "\n";
print join(",", map { $_->join } map { my $n = $_; threads->create(sub { $n * $n }) } 1 .. 4), "\n";
printf "%.3f %s\n", atan2(1, 1) * 4, scalar reverse "abc";
P
perl t.pl
