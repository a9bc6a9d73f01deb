# Two versions of a package, of which the second is installed, and how many microseconds that took.
gpm repo init repo --keys keys >&2
for version in 1 2; do
    files=()
    for number in $(seq 30); do files+=("opt/both/$number=version $version\n"); done
    publish both $version '' "${files[@]}" "opt/only-$version=x" "opt/fresh-$version/a/b/c=x" >&2
done
gpm repo trust stable "file://$PWD/repo" --root-file repo/metadata/1.root.json >&2
gpm update >&2
gpm install both=1 --yes >&2
began=${EPOCHREALTIME/./}
gpm install both=2 --yes >&2
echo $((${EPOCHREALTIME/./} - began))
