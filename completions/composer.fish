function __composer_complete
    set -l typed (commandline -cp | string collect)
    set -l found (env _COMPOSER_COMPLETE=complete_fish _COMPOSER_LINE="$typed" composer 2>/dev/null)
    if test -n "$found[1]"
        printf '%s\n' $found
    else
        __fish_complete_path (commandline -ct)
    end
end

complete --command composer --no-files --keep-order --arguments "(__composer_complete)"
