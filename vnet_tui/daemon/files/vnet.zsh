#compdef vnet
# Completion of vnet in zsh. vnet itself knows what may stand where.

local output line
local -a found
output=$(${(Q)words[1]/#\~/$HOME} --complete words ${(Q)words[2,CURRENT-1]} "${(Q)PREFIX}" 2>/dev/null)
if (( $? == 10 )); then
    _files
    return
fi
for line in ${(f)output}; do
    # In _describe a colon divides a word and what it means.
    if [[ $line == *$'\t'* ]]; then
        found+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
    else
        found+=("${line//:/\\:}")
    fi
done
_describe 'vnet' found
