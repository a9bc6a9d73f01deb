//! The lessons. Each answer is checked by what it does, so that every way that works is right.

/// One lesson.
#[derive(Debug)]
pub struct Lesson {
    /// What it is called.
    pub name: &'static str,
    /// Other words for it.
    pub words: &'static [&'static str],
    /// One line.
    pub about: &'static str,
    /// What one has to know to begin.
    pub intro: &'static str,
    /// Programs that it needs besides the usual ones.
    pub programs: &'static [&'static str],
    /// Files of its directory.
    pub files: &'static [(&'static str, &'static str)],
    /// A command line that does the rest of the preparation.
    pub setup: &'static str,
    /// What is to be done; each begins where the one before ended.
    pub exercises: &'static [Exercise],
}

/// One task.
#[derive(Debug)]
pub struct Exercise {
    /// What is to be done.
    pub task: &'static str,
    /// A nudge.
    pub hint: &'static str,
    /// One way to do it.
    pub solution: &'static str,
    /// Texts that the answer must have, where the way is what is practised.
    pub needs: &'static [&'static str],
    /// How it is judged.
    pub check: Check,
    /// What to take home.
    pub after: &'static str,
}

/// How an answer is judged.
#[derive(Debug, Clone, Copy)]
pub enum Check {
    /// It prints what the solution prints.
    Prints,
    /// This line of shell succeeds afterwards.
    Makes(&'static str),
}

const fn prints(task: &'static str, hint: &'static str, solution: &'static str, needs: &'static [&'static str], after: &'static str) -> Exercise {
    Exercise { task, hint, solution, needs, check: Check::Prints, after }
}

const fn makes(task: &'static str, hint: &'static str, solution: &'static str, test: &'static str, after: &'static str) -> Exercise {
    Exercise { task, hint, solution, needs: &[], check: Check::Makes(test), after }
}

const PEOPLE: &str = "anna 31 Berlin\nbela 27 Budapest\ncarla 45 Rome\ndavid 27 Berlin\nemma 62 Paris\nfela 31 Lagos\n";
const LOG: &str = "10:01 info start\n10:02 error disk full\n10:03 info retry\n10:04 warning slow\n10:05 error network down\n10:06 info done\n10:07 error disk full\n";

/// All lessons, in the order in which they are best taken.
pub const LESSONS: &[Lesson] = &[
    Lesson {
        name: "paths",
        words: &["directories", "folders", "cd", "ls", "pwd", "path", "navigation", "moving"],
        about: "Where you are, what is there, and how to go somewhere else",
        intro: "You are always in a directory. pwd says which, ls lists what is in it, cd DIR goes into another one.\nA name that begins with / starts at the root; any other starts where you are. `..` is the directory above.",
        programs: &[],
        files: &[("letters/to-anna.txt", "Dear Anna\n"), ("letters/old/1999.txt", "Long ago\n"), ("photos/cat.jpg", "meow"), (".secret", "42\n")],
        setup: "",
        exercises: &[
            prints("List what is here.", "Two letters: list.", "ls", &[], "ls without a name lists the directory you are in."),
            prints("List what is in the directory letters.", "ls takes a name.", "ls letters", &[], "Any command takes names of other directories."),
            prints("List everything here, also what begins with a dot.", "The option is -a (all), or -A to leave out . and ..", "ls -A", &["ls"], "Names with a dot are hidden: settings, mostly."),
            prints("Go into letters/old and print where you are with `basename \"$PWD\"`, in one line.", "cd DIR && command", "cd letters/old && basename \"$PWD\"", &["cd"], "&& runs the second only if the first succeeded."),
            prints("List letters and everything below it.", "The option -R goes into all directories.", "ls -R letters", &["ls"], "For more than listing, there is find."),
        ],
    },
    Lesson {
        name: "files",
        words: &["copy", "copying", "cp", "mv", "rm", "mkdir", "touch", "rename", "deleting"],
        about: "Make, copy, move, rename and delete files and directories",
        intro: "mkdir makes a directory, touch an empty file, cp copies, mv moves or renames, rm deletes. The last name is where to.\nThere is no wastebasket: what rm deletes is gone.",
        programs: &[],
        files: &[("notes.txt", "remember the milk\n"), ("draft.txt", "first try\n"), ("old/junk.txt", "x\n"), ("old/more.txt", "y\n")],
        setup: "",
        exercises: &[
            makes("Make a directory called archive.", "mkdir NAME", "mkdir archive", "test -d archive", "mkdir -p a/b makes both at once."),
            makes("Copy notes.txt into archive.", "cp WHAT WHERE", "cp notes.txt archive", "cmp notes.txt archive/notes.txt", "Into a directory, the name stays."),
            makes("Rename draft.txt to final.txt.", "Renaming is moving to another name.", "mv draft.txt final.txt", "test -f final.txt && ! test -e draft.txt && grep -q 'first try' final.txt", "mv replaces a file of that name without asking; mv -i asks."),
            makes("Delete the directory old with all that is in it.", "rm needs -r for directories.", "rm -r old", "! test -e old && test -f notes.txt", "Read an rm -r twice before you press Enter."),
            makes("Make an empty file called todo.", "touch NAME", "touch todo", "test -f todo && ! test -s todo", "touch also sets the time of a file that is there."),
        ],
    },
    Lesson {
        name: "reading",
        words: &["cat", "head", "tail", "less", "wc", "viewing", "view"],
        about: "Look into files: whole, the beginning, the end, and how long they are",
        intro: "cat prints a file, head its first lines, tail its last ones, wc counts. -n N says how many lines.",
        programs: &[],
        files: &[("poem.txt", "one\ntwo\nthree\nfour\nfive\nsix\nseven\n"), ("log.txt", LOG)],
        setup: "",
        exercises: &[
            prints("Print poem.txt.", "cat FILE", "cat poem.txt", &[], "For long files: less, which q leaves."),
            prints("Print the first 3 lines of log.txt.", "head -n N FILE", "head -n 3 log.txt", &[], "Without -n it is 10 lines."),
            prints("Print the last 2 lines of log.txt.", "tail -n N FILE", "tail -n 2 log.txt", &[], "tail -f follows a file that grows."),
            prints("Print only the number of lines of poem.txt (no name).", "wc -l counts lines; from `< FILE` it knows no name.", "wc -l < poem.txt", &[], "-w counts words, -c bytes."),
            prints("Print lines 3 to 5 of poem.txt.", "The last 3 of the first 5; or sed -n '3,5p'.", "head -n 5 poem.txt | tail -n 3", &[], "Small programs together do what none of them can."),
        ],
    },
    Lesson {
        name: "redirection",
        words: &["redirect", "redirecting", "output", "stdin", "stdout", "stderr", "streams"],
        about: "Send output into files, take input from them, and sort out errors",
        intro: "A program has an input (0), an output (1) and an output for errors (2). > FILE sends the output into a file, >> appends,\n< FILE takes the input from one, 2> sends the errors somewhere. /dev/null swallows everything.",
        programs: &[],
        files: &[("names.txt", "carla\nanna\nbela\n")],
        setup: "",
        exercises: &[
            makes("Write the word hello into a file called greeting.", "echo WORD > FILE", "echo hello > greeting", "[ \"$(cat greeting)\" = hello ]", "> empties a file that is there first."),
            makes("Append the word world to greeting.", ">> appends.", "echo world >> greeting", "[ \"$(cat greeting)\" = \"$(printf 'hello\\nworld')\" ]", ">> is the careful one."),
            makes("Write the sorted lines of names.txt into sorted.txt.", "sort FILE > OTHER", "sort names.txt > sorted.txt", "[ \"$(cat sorted.txt)\" = \"$(sort names.txt)\" ]", "Never into the same file: > empties it before sort reads it."),
            makes("List names.txt and missing.txt with ls; its output goes into out.txt, its error into err.txt.", "> and 2> in one line.", "ls names.txt missing.txt > out.txt 2> err.txt", "grep -q names.txt out.txt && ! grep -q missing out.txt && grep -q missing err.txt", "2>&1 sends errors where the output goes."),
            prints("Count the words of names.txt with wc -w, taking its input from the file by `<`.", "wc -w < FILE", "wc -w < names.txt", &["<"], "The program sees only a stream, no name."),
        ],
    },
    Lesson {
        name: "pipes",
        words: &["pipe", "pipeline", "pipelines", "piping"],
        about: "Join programs: the output of one is the input of the next",
        intro: "a | b runs both at once; what a prints, b reads. Programs that read their input and print something else are called filters:\nsort, uniq, head, tail, grep, cut, tr, wc.",
        programs: &[],
        files: &[("people.txt", PEOPLE), ("log.txt", LOG)],
        setup: "",
        exercises: &[
            prints("Print people.txt sorted, with cat, a pipe and sort.", "cat FILE | sort", "cat people.txt | sort", &["|"], "sort reads files itself, too; but any program's output can be sorted like this."),
            prints("Print how many lines of log.txt have the word error, with grep and wc.", "grep WORD FILE | wc -l", "grep error log.txt | wc -l", &["|"], "grep -c does the same."),
            prints("Print the three alphabetically first lines of people.txt.", "sort, then head.", "sort people.txt | head -n 3", &["|"], "head ends the others as soon as it has enough."),
            prints("Print each city (the third word) once, sorted.", "cut -d ' ' -f 3 takes the third word; sort -u sorts and drops doubles.", "cut -d ' ' -f 3 people.txt | sort -u", &["|"], "cut, sort, uniq: half of all reports."),
            prints("Print the city that occurs most often, with its number, as uniq -c prints it.", "cut | sort | uniq -c | sort -rn | head", "cut -d ' ' -f 3 people.txt | sort | uniq -c | sort -rn | head -n 1", &["|"], "sort | uniq -c | sort -rn counts anything."),
        ],
    },
    Lesson {
        name: "grep",
        words: &["searching", "search", "regular", "regex", "expressions", "patterns"],
        about: "Find lines by words and patterns",
        intro: "grep PATTERN FILE prints the lines that match. ^ is the beginning of a line, $ its end, . any character, * repeats what is before it,\n[abc] is one of these. Quote patterns, so that the shell leaves them alone.",
        programs: &[],
        files: &[("people.txt", PEOPLE), ("log.txt", LOG), ("src/main.c", "int main(void) { return 0; }\n"), ("src/util.c", "int twice(int n) { return 2 * n; }\n"), ("src/notes.md", "main is small\n")],
        setup: "",
        exercises: &[
            prints("Print the lines of log.txt with the word error.", "grep WORD FILE", "grep error log.txt", &[], "-i takes capital and small letters alike."),
            prints("Print the lines of log.txt without the word info.", "-v turns it round.", "grep -v info log.txt", &[], "-c only counts, -n prints line numbers."),
            prints("Print the lines of people.txt that end with Berlin.", "$ is the end; quote it.", "grep 'Berlin$' people.txt", &[], "Single quotes keep $ from the shell."),
            prints("Print the lines of people.txt where the age begins with 2 or 3.", "' [23]' is a blank and one of two digits.", "grep ' [23]' people.txt", &[], "[0-9] is any digit."),
            prints("Print the names of the files below src that have the word main.", "-r goes into directories, -l prints names only.", "grep -rl main src", &["grep"], "grep -rn shows the lines, too."),
        ],
    },
    Lesson {
        name: "find",
        words: &["finding", "locate", "lookup"],
        about: "Find files by name, kind, size and age, and do something with each",
        intro: "find DIR TESTS prints every file below DIR for which all tests hold: -name 'PATTERN', -type f (files) or d (directories),\n-size +10k, -mtime -1 (changed within a day), -empty. -exec COMMAND {} + does something with them.",
        programs: &[],
        files: &[("a.txt", "alpha\n"), ("b.md", "beta\n"), ("docs/c.txt", "gamma\n"), ("docs/deep/d.txt", "delta delta\n"), ("docs/empty.txt", ""), ("big.bin", "")],
        setup: "head -c 20000 /dev/zero > big.bin",
        exercises: &[
            prints("Print all files whose name ends in .txt, also in the directories below.", "find . -name 'PATTERN'; quote the pattern.", "find . -name '*.txt' | sort", &["find"], "Unquoted, the shell would replace *.txt before find sees it. (Sort it with | sort for this task.)"),
            prints("Print all directories below here, sorted, with the one you are in.", "-type d", "find . -type d | sort", &["find"], "-mindepth 1 leaves out the first."),
            prints("Print the files larger than 10 kilobytes.", "-size +10k", "find . -type f -size +10k", &["find"], "k, M and G are units; + is more than, - less than."),
            makes("Delete all empty files, and only them.", "-type f -empty -delete", "find . -type f -empty -delete", "! test -e docs/empty.txt && test -e a.txt && test -e docs/c.txt && test -e docs/deep/d.txt && test -e big.bin", "Try it without -delete first, always."),
            prints("Print how many words each .txt file below docs has, with wc -w and -exec ... +.", "find docs -name '*.txt' -exec wc -w {} +", "find docs -name '*.txt' -exec wc -w {} + | sort", &["-exec"], "{} stands for the files. (Sort it with | sort for this task.)"),
        ],
    },
    Lesson {
        name: "text",
        words: &["sort", "sorting", "uniq", "cut", "order", "columns", "counting", "tables"],
        about: "Sort by words and numbers, cut columns, count what is equal",
        intro: "sort orders lines; -n by numbers, -r the other way, -k N by the N-th word, -u without doubles. uniq -c counts equal lines that follow each other.\ncut -d ' ' -f N takes the N-th word.",
        programs: &[],
        files: &[("people.txt", PEOPLE), ("numbers.txt", "10\n9\n100\n1\n9\n")],
        setup: "",
        exercises: &[
            prints("Print numbers.txt sorted as numbers.", "-n", "sort -n numbers.txt", &[], "Without -n, 100 comes before 9: by characters."),
            prints("Print numbers.txt from the largest to the smallest, each number once.", "-n, -r and -u together.", "sort -nru numbers.txt", &[], "Short options may be written together."),
            prints("Print people.txt sorted by age, the oldest first. Equal ages stay in the order that sort -k2,2nr gives.", "-k2,2nr: by the second word, as a number, reversed.", "sort -k2,2nr people.txt", &[], "-k2 alone would mean: from the second word to the end."),
            prints("Print only the names, the first words of people.txt.", "cut -d ' ' -f 1", "cut -d ' ' -f 1 people.txt", &[], "awk '{ print $1 }' is not choosy about blanks."),
            prints("Print how often each age occurs, as uniq -c prints it, the ages in order.", "cut | sort | uniq -c", "cut -d ' ' -f 2 people.txt | sort | uniq -c", &["uniq"], "uniq sees only neighbours: sort first."),
        ],
    },
    Lesson {
        name: "wildcards",
        words: &["globs", "globbing", "glob", "asterisk", "star", "braces"],
        about: "Name many files at once: *, ?, [...] and {...}",
        intro: "The shell replaces patterns by the names that match, before the command runs: * is anything, ? one character, [ab] one of these.\n{a,b} writes out each, whether there is such a file or not. echo shows what becomes of a pattern.",
        programs: &[],
        files: &[("a1.txt", ""), ("a2.txt", ""), ("b1.txt", ""), ("b10.txt", ""), ("photo.jpg", ""), ("photo.png", "")],
        setup: "",
        exercises: &[
            prints("List all files that end in .txt.", "ls *.txt", "ls *.txt", &[], "The shell did the work; ls got four names."),
            prints("List the .txt files whose name begins with a.", "a*.txt", "ls a*.txt", &[], "Patterns may stand anywhere in a name."),
            prints("List the .txt files with exactly two characters before the dot.", "? is one character.", "ls ??.txt", &["?"], "b10.txt has three."),
            prints("List photo.jpg and photo.png with one word in braces.", "photo.{..,..}", "ls photo.{jpg,png}", &["{"], "Braces also work for names that do not exist yet."),
            makes("Make the directories 2024, 2025 and 2026 with one short command.", "{2024..2026} counts.", "mkdir {2024..2026}", "test -d 2024 && test -d 2025 && test -d 2026", "cp file{,.bak} is a backup in one word."),
        ],
    },
    Lesson {
        name: "variables",
        words: &["variable", "quoting", "quote", "quotes", "environment", "expansion", "substitution"],
        about: "Keep values, quote them, and use what commands print",
        intro: "name=value sets a variable (no blanks around =), $name is its value, \"$name\" keeps it in one piece, '...' takes everything literally.\n$(command) is what a command prints, $((1 + 2)) a sum.",
        programs: &[],
        files: &[("my file.txt", "content\n"), ("list.txt", "x\ny\nz\n")],
        setup: "",
        exercises: &[
            prints("In one line, set city to Rome and print: I live in Rome", "city=Rome; echo \"... $city\"", "city=Rome; echo \"I live in $city\"", &["$"], "In double quotes, $ works; in single quotes it does not."),
            prints("Print the text $HOME itself, not its value.", "Single quotes.", "echo '$HOME'", &["'"], "Or \\$HOME."),
            prints("Set f to the name of the file with a blank in it, and print the file with cat and $f, in one line.", "Quote both times.", "f='my file.txt'; cat \"$f\"", &["$f"], "Unquoted, cat would get two names."),
            prints("Print 17 times 23.", "$((...))", "echo $((17 * 23))", &["$(("], "Whole numbers only; bc does the rest."),
            prints("Print: There are 3 lines (the number from wc -l and list.txt).", "echo \"There are $(...) lines\"", "echo \"There are $(wc -l < list.txt) lines\"", &["$("], "$(...) is how programs work for each other in one line."),
        ],
    },
    Lesson {
        name: "permissions",
        words: &["permission", "chmod", "rights", "executable", "modes", "owner"],
        about: "Who may read, write and run a file",
        intro: "ls -l begins with the permissions: r read, w write, x run; for the owner (u), the group (g) and others (o).\nchmod changes them: u+x, go-r, a=r, or in digits 4 read + 2 write + 1 run, e.g. 640.",
        programs: &[],
        files: &[("run.sh", "#!/bin/sh\necho it runs\n"), ("diary.txt", "secret\n"), ("shared.txt", "for all\n")],
        setup: "chmod 644 run.sh diary.txt shared.txt",
        exercises: &[
            prints("Print only the permissions of diary.txt in digits, with stat.", "stat -c %a FILE", "stat -c %a diary.txt", &[], "6 is 4+2: read and write."),
            makes("Let the owner run run.sh.", "chmod u+x FILE", "chmod u+x run.sh", "[ \"$(stat -c %a run.sh)\" = 744 ] || [ \"$(stat -c %a run.sh)\" = 755 ]", "+x is for everybody."),
            prints("Run run.sh from here.", "A name without / is looked for in PATH.", "./run.sh", &["./"], "The directory you are in is not searched, on purpose."),
            makes("Let nobody but the owner read or write diary.txt.", "go= or 600.", "chmod 600 diary.txt", "[ \"$(stat -c %a diary.txt)\" = 600 ]", "root may read it all the same."),
            makes("Make shared.txt read-only for everybody, the owner too.", "a-w or 444.", "chmod a-w shared.txt", "[ \"$(stat -c %a shared.txt)\" = 444 ]", "The owner may give the right back at any time."),
        ],
    },
    Lesson {
        name: "processes",
        words: &["process", "jobs", "job", "kill", "ps", "signals", "signal", "background"],
        about: "What runs, in the background too, and how it is ended",
        intro: "Every running program is a process with a number, its PID. & at the end runs a command in the background; $! is its PID,\nwait waits for it. kill PID asks a process to end; jobs lists those of this shell. $? is the exit status: 0 is success.",
        programs: &[],
        files: &[("fail.sh", "exit 3\n"), ("slow.sh", "sleep 0.2\necho finished > result.txt\n")],
        setup: "",
        exercises: &[
            prints("Run fail.sh with bash and then print its exit status, in one line.", "bash FILE; echo $?", "bash fail.sh; echo $?", &["$?"], "if and && look at this number: 0 is true."),
            prints("Print ok if fail.sh succeeds and failed if not, in one line, with && or ||, and bash.", "COMMAND && echo ok || echo failed", "bash fail.sh && echo ok || echo failed", &["fail.sh"], "&& runs the next after success, || after failure."),
            makes("Run slow.sh with bash in the background, and wait until it is done, in one line.", "bash FILE & wait", "bash slow.sh & wait", "grep -qx finished result.txt", "Without wait, the shell would go on at once."),
            makes("Start sleep 30 in the background, end it with kill and $!, wait for it, and write its exit status into status.txt: all in one line.", "sleep 30 & kill $!; wait $!; echo $? > status.txt", "sleep 30 & kill $!; wait $!; echo $? > status.txt", "grep -qx 143 status.txt", "143 is 128 and 15, the number of the signal TERM."),
            prints("Print only the name of the process with the number of this shell ($$), with ps -o comm= and -p.", "ps -o comm= -p $$", "ps -o comm= -p $$", &["ps"], "ps aux shows all processes, of all users."),
        ],
    },
    Lesson {
        name: "archives",
        words: &["archive", "tar", "compress", "compression", "gzip", "packing"],
        about: "Pack files into one, compress, look inside, unpack",
        intro: "tar -c makes an archive, -t lists one, -x unpacks one; -f FILE names it, -z compresses with gzip. -C DIR unpacks elsewhere.",
        programs: &[],
        files: &[("docs/a.txt", "alpha\n"), ("docs/b.txt", "beta\n"), ("long.txt", "la la la la la la la la\n")],
        setup: "",
        exercises: &[
            makes("Pack the directory docs into docs.tar.gz.", "tar -czf ARCHIVE WHAT", "tar -czf docs.tar.gz docs", "tar -tzf docs.tar.gz | grep -q docs/a.txt && tar -tzf docs.tar.gz | grep -q docs/b.txt", "c create, z compress, f file."),
            prints("List what is in docs.tar.gz.", "tar -tzf ARCHIVE", "tar -tzf docs.tar.gz", &["tar"], "Always look before you unpack."),
            makes("Make a directory copy and unpack docs.tar.gz into it, in one line.", "mkdir copy && tar -xzf ... -C copy", "mkdir copy && tar -xzf docs.tar.gz -C copy", "cmp docs/a.txt copy/docs/a.txt && cmp docs/b.txt copy/docs/b.txt", "-C changes the directory first."),
            makes("Compress long.txt with gzip, keeping the file.", "-k keeps.", "gzip -k long.txt", "test -f long.txt && gzip -t long.txt.gz", "Without -k only long.txt.gz is left."),
        ],
    },
    Lesson {
        name: "loops",
        words: &["loop", "for", "while", "if", "conditions", "scripting", "scripts"],
        about: "Do something for each file or line, and only if",
        intro: "for x in a b c; do COMMAND; done runs COMMAND with $x as each. while read line; do ...; done < FILE goes through lines.\nif TEST; then ...; else ...; fi; [ -f FILE ] asks whether a file is there.",
        programs: &[],
        files: &[("a.txt", "one\n"), ("b.txt", "two\nthree\n"), ("c.md", "four\n")],
        setup: "",
        exercises: &[
            prints("Print the numbers 1 to 3, each on a line with the word item before it, with a for loop.", "for n in 1 2 3; do echo item $n; done", "for n in 1 2 3; do echo item $n; done", &["for"], "{1..100} counts further."),
            prints("For each .txt file print its name and a colon, like a.txt:", "for f in *.txt; do echo \"$f:\"; done", "for f in *.txt; do echo \"$f:\"; done", &["for"], "Quote \"$f\": names may have blanks."),
            makes("Copy each .txt file to one with .bak behind its name, with a loop.", "cp \"$f\" \"$f.bak\"", "for f in *.txt; do cp \"$f\" \"$f.bak\"; done", "cmp a.txt a.txt.bak && cmp b.txt b.txt.bak && ! test -e c.md.bak", "${f%.txt} is the name without its end."),
            prints("Print each line of b.txt with a > before it, with while read.", "while read -r line; do echo \"> $line\"; done < b.txt", "while read -r line; do echo \"> $line\"; done < b.txt", &["while"], "-r leaves backslashes alone."),
            prints("Print yes if c.md is there and no if not.", "if [ -f c.md ]; then ...", "if [ -f c.md ]; then echo yes; else echo no; fi", &["c.md"], "[ is a command: blanks around everything."),
        ],
    },
    Lesson {
        name: "git",
        words: &["version", "versions", "commit", "commits", "repository"],
        about: "Keep versions of your files",
        intro: "git init begins, git add chooses what goes into the next version, git commit -m 'why' keeps it, git status and git log tell,\ngit diff shows what is not kept yet.",
        programs: &["git"],
        files: &[("story.txt", "Once upon a time\n"), (".gitconfig", "[user]\nname = Learner\nemail = learner@localhost\n[init]\ndefaultBranch = main\n[core]\nexcludesFile = ~/.gitignore-all\n"), (".gitignore-all", ".git*\n")],
        setup: "",
        exercises: &[
            makes("Make a repository here.", "git init", "git init", "test -d .git", "Everything of it is in .git."),
            makes("Choose story.txt for the next version.", "git add FILE", "git add story.txt", "git diff --cached --name-only | grep -qx story.txt", "git status now shows it in green."),
            makes("Keep this version, with the message: First line", "git commit -m '...'", "git commit -m 'First line'", "[ \"$(git log --format=%s)\" = 'First line' ]", "A message says why, not what."),
            makes("Add the line `there was a king` to the end of story.txt, and keep that as a second version, with the message: Add a king", "echo ... >> FILE, then git commit -am '...'", "echo 'there was a king' >> story.txt; git commit -am 'Add a king'", "[ \"$(git log -1 --format=%s)\" = 'Add a king' ] && [ $(git log --format=%s | wc -l) = 2 ] && git show HEAD:story.txt | grep -qx 'there was a king'", "-a takes all files that git knows."),
            prints("Print the messages of all versions, newest first, one a line, with nothing else (--format=%s).", "git log --format=%s", "git log --format=%s", &["git log"], "--oneline also shows the numbers of the versions."),
        ],
    },
];
