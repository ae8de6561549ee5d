# Completion of vnet in fish. vnet itself knows what may stand where.

function __vnet_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    # As it is meant, though a quote may still be open.
    set -l meant (string unescape -- $current; or string replace -r '^["\']' '' -- $current)
    set -l found ($words[1] --complete words $words[2..-1] "$meant" 2>/dev/null)
    if test $status -eq 10
        __fish_complete_path $current
    else
        printf '%s\n' $found
    end
end

complete -c vnet -f -a '(__vnet_complete)'
