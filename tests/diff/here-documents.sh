name=world
cat <<END
hello $name
	tab kept, $((1 + 2)) counted
END
cat <<'END'
$name is not expanded
END
cat <<-END
	leading tabs go
	END
tr a-z A-Z <<< "here string"
while read -r a b; do echo "$b-$a"; done <<END
1 one
2 two
END
