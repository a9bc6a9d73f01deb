# git: a repository's life.
export HOME=$PWD GIT_CONFIG_NOSYSTEM=1 GIT_PAGER=cat
export GIT_AUTHOR_DATE='2024-01-01T00:00:00Z' GIT_COMMITTER_DATE='2024-01-01T00:00:00Z'
git config --global user.name Someone; git config --global user.email someone@example.org
git config --global init.defaultBranch main; git config --global advice.detachedHead false
git init -q a && cd a
for i in $(seq 40); do seq $i $((i + 50)) >file$i; done
git add . && git commit -qm 'First files'
git checkout -qb side && echo side >>file1 && git commit -qam 'Change one' && git mv file2 moved && git commit -qam 'Move one'
git checkout -q main && echo main >file41 && git add file41 && git commit -qm 'Add one'
git merge -q -m 'Merge side' side && git log --oneline --graph
git status --short --branch; git diff --stat HEAD~1 | cat
git checkout -qb conflict HEAD~1 && echo other >>file1 && git commit -qam 'Conflicting' && git merge main; git status --short | head -3
git checkout -q --ours file1 && git add file1 && git commit -qm 'Resolved' && git log -1 --format='%h %s %p'
git tag -a v1 -m 'Version 1' && git stash list; cd ..
git clone -q a b && cd b && git log -1 --format=%H && git branch -a
echo more >>file3 && git commit -qam 'More' && git push -q origin HEAD:refs/heads/pushed && git -C ../a rev-parse --verify -q pushed
git clone -q --no-local --depth 2 "file://$PWD/../a" ../shallow && git -C ../shallow log --oneline | wc -l
git gc -q --prune=now && git fsck --full --strict 2>&1 && git count-objects -v | grep -E 'count|packs'
git blame -s file3 | tail -2; git grep -c '^5$' | wc -l; git archive HEAD | tar t | wc -l; git bisect start -q HEAD HEAD~2 | head -1
