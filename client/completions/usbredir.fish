# fish completion for usbredir. The words come from the program itself; see `usbredir completion --help`.
function __usbredir_complete
    set -l words (commandline -opc) (commandline -ct)
    set -l answer (eval $words[1] __complete (string escape -- $words[2..-1]) 2>/dev/null)
    if test (count $answer) -eq 0
        return
    end
    if test "$answer[-1]" = ":0"
        set -l begun (commandline -ct)
        set -l head (string match -r -- '^--[^=]*=' $begun)
        for path in (__fish_complete_path (string replace -- "$head" '' $begun))
            printf '%s%s\n' "$head" $path
        end
        return
    end
    if test (count $answer) -gt 1
        printf '%s\n' $answer[1..-2]
    end
end
complete -c usbredir -f -a '(__usbredir_complete)'
complete -c kubectl-usbredir -f -a '(__usbredir_complete)'
