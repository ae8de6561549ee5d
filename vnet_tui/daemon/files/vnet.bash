# Completion of vnet in bash. vnet itself knows what may stand where.

_vnet() {
    local program=$1 quote=${COMP_WORDS[COMP_CWORD]:0:1} candidate
    local -a found
    [[ $quote == [\'\"] ]] || quote=
    [[ $program == \~/* ]] && program=$HOME/${program:2}
    mapfile -t found < <(
        "$program" --complete line "$quote$2" "${COMP_LINE:0:COMP_POINT}" 2>/dev/null
        printf '%s\n' "$?"
    )
    COMPREPLY=()
    if [[ ${found[-1]} == 10 ]]; then
        compopt -o default
        return
    fi
    unset 'found[-1]'
    for candidate in "${found[@]%%$'\t'*}"; do
        if [[ $quote ]]; then
            # Between quotes, what would mean something there is left to be typed.
            [[ $candidate == *[\'\"\`\$\\!]* ]] || COMPREPLY+=("$candidate")
        else
            COMPREPLY+=("$(printf '%q' "$candidate")")
        fi
    done
}

complete -F _vnet vnet
