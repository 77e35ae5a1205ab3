# PowerShell completion for composer; made by `make docs`
Register-ArgumentCompleter -Native -CommandName composer -ScriptBlock {
    param($word, $tree, $position)
    $names = @{
        'gen' = 'Compose a piece, or many.'
        'train' = 'Teach a model your own music.'
        'eval' = 'Measure how well a model knows music that it was not taught.'
        'presets' = 'List the published systems that can be trained again.'
        'check' = 'Find what is wrong in files of music.'
        'originality' = 'Find what of a piece is copied from what a model was taught.'
        'replay' = 'Compose a piece again, and say whether it is the same.'
        'show' = 'Draw music as a piano-roll, print words, or a model''s card.'
        'plugins' = 'List the representations and models that are installed.'
        'completions' = 'Print the script with which a shell completes this program.'
    }
    $options = @{
        '' = @{
            '--version' = 'Print the version and exit.'
            '--debug' = 'Show where in the program an error arose.'
            '--help' = 'Show this message and exit.'
        }
        'gen' = @{
            '--count' = 'How many pieces.'
            '--length' = 'The most steps that a piece may take.'
            '--seed' = 'The same seed gives the same piece again.'
            '--temp' = 'Temperature: lower is safer, higher is wilder; 0 never gambles. 0.6..1.2 changes over the piece, 0.6..1.2/400 over 400 steps.'
            '--top-k' = 'Draw from the K likeliest steps only; 0 for all.'
            '--top-p' = 'Draw from the likeliest steps that sum to P.'
            '--min-p' = 'Draw no step less likely than P times the best.'
            '--condition' = 'What it shall be like, where the model knows.'
            '--free' = 'Compose without the rules of the representation.'
            '--max-copy' = 'Share at most N notes in a row with a tune that was taught.'
            '--take' = 'Compose N pieces to choose from.'
            '--keep' = 'Of these, keep the best K, the best first; else one.'
            '--by' = 'What is best: likelihood, originality or form.'
            '--prime' = 'A file to go on from; - for stdin.'
            '--prime-text' = 'An opening to go on from.'
            '--format' = 'Such as abc, midi, musicxml.'
            '--output' = 'The file to write; its suffix is the format, %d in it the piece''s number.'
            '--force' = 'Replace existing files.'
            '--resume' = 'Go on with many pieces that were interrupted.'
            '--title' = 'The piece''s title, where its format has one.'
            '--tempo' = 'Quarter notes a minute.'
            '--instrument' = 'General MIDI program, 0 to 127.'
            '--velocity' = 'Loudness of the notes, 1 to 127.'
            '--no-provenance' = 'Do not write into the piece what made it.'
            '--checkpoint' = 'The model; else your newest, else the bundled one.'
            '--device' = 'auto, cpu, cuda or mps.'
            '--width' = 'How many pieces to compose side by side.'
            '--quiet' = 'Say nothing but warnings and errors.'
            '--help' = 'Show this message and exit.'
        }
        'train' = @{
            '--option' = 'See `composer plugins REP`.'
            '--valid' = 'Files to hold back for validation; else a tenth.'
            '--split' = 'A list of which piece is train, valid or test.'
            '--augment' = 'Learn every piece in other keys too.'
            '--preset' = 'As a published system; see `composer presets`.'
            '--model' = 'The kind of model; lstm where it fits.'
            '--epochs' = 'How often to go through all pieces.'
            '--max-updates' = 'Stop after so many steps, of all phases together.'
            '--batch-size' = 'Pieces learnt from side by side.'
            '--lr' = 'The highest learning rate.'
            '--seed' = 'The same seed learns the same again.'
            '--set' = 'See `composer plugins MODEL`.'
            '--device' = 'auto, cpu, cuda or mps.'
            '--name' = 'What to call the model.'
            '--resume' = 'Go on with the model of that name.'
            '--from' = 'Start from this model.'
            '--snapshots' = 'Compose at these steps, such as 0,500,1000.'
            '--log-dir' = 'Write the run for TensorBoard, there.'
            '--force' = 'Replace the model of that name.'
            '--json' = 'Report each event as a line of JSON on stdout.'
            '--quiet' = 'Say nothing but warnings and errors.'
            '--help' = 'Show this message and exit.'
        }
        'eval' = @{
            '--checkpoint' = 'The model; else your newest, else the bundled one.'
            '--split' = 'A list of which piece is train, valid or test.'
            '--part' = 'Only this part, of the list or as the model''s own training split them.'
            '--effort' = 'Where there is no exact figure, how much work an estimate may be; else 1.'
            '--stream' = 'Measure the pieces as one text: each is met after the one before.'
            '--generated' = 'Compose N pieces, and set what can be measured of them beside these.'
            '--seed' = 'With --generated: another seed; else 1.'
            '--temp' = 'With --generated: the temperature; else 1.'
            '--device' = 'auto, cpu, cuda or mps.'
            '--json' = 'Print the figures as JSON.'
            '--quiet' = 'Say nothing but warnings and errors.'
            '--help' = 'Show this message and exit.'
        }
        'presets' = @{
            '--names' = 'Print bare names, one a line.'
            '--help' = 'Show this message and exit.'
        }
        'check' = @{
            '--fix' = 'Mend what can be mended, beside the file: tune.fixed.abc.'
            '--force' = 'With --fix: replace files that were mended before.'
            '--errors-only' = 'Pass over warnings.'
            '--json' = 'Print all that is found as JSON.'
            '--quiet' = 'Print what is found, and nothing else.'
            '--help' = 'Show this message and exit.'
        }
        'originality' = @{
            '--checkpoint' = 'The model; else the one that composed the file, or your newest of such.'
            '--corpus' = 'Compare with this music, not with a model''s. May be given more than once.'
            '--json' = 'Print all that is found as JSON.'
            '--quiet' = 'Print what is found, and nothing else.'
            '--help' = 'Show this message and exit.'
        }
        'replay' = @{
            '--output' = 'The file to write, not stdout.'
            '--force' = 'Replace an existing file.'
            '--check' = 'Write nothing: only say whether it is the same.'
            '--checkpoint' = 'The model; else the one of yours, or bundled, that composed it.'
            '--quiet' = 'Say nothing but warnings and errors.'
            '--help' = 'Show this message and exit.'
        }
        'show' = @{
            '--tune' = 'Draw the N-th piece of the file only.'
            '--most' = 'Draw at most so many pieces.'
            '--surprise' = 'Show what of a piece a model did not expect, in bits a step.'
            '--checkpoint' = 'The model that is surprised; else the one that composed the file, or your newest of such.'
            '--help' = 'Show this message and exit.'
        }
        'plugins' = @{
            '--names' = 'Print bare names, one a line.'
            '--help' = 'Show this message and exit.'
        }
        'completions' = @{
            '--help' = 'Show this message and exit.'
        }
    }
    $values = @{
        'gen --format' = @('abc', 'midi', 'musicxml', 'tokens', 'text')
        'gen --device' = @('auto', 'cpu', 'cuda', 'mps')
        'gen ' = { composer plugins representations --names }
        'train --preset' = { composer presets --names }
        'train --model' = { composer plugins models --names }
        'train --device' = @('auto', 'cpu', 'cuda', 'mps')
        'train ' = { composer plugins representations --names }
        'eval --device' = @('auto', 'cpu', 'cuda', 'mps')
        'eval ' = { composer plugins representations --names }
        'presets ' = { composer presets --names }
        'plugins ' = @('representations', 'models')
        'completions ' = @('bash', 'zsh', 'fish', 'powershell')
    }
    $given = @($tree.CommandElements | Select-Object -Skip 1 | ForEach-Object { $_.ToString() })
    if ($word -and $given.Count -gt 0) { $given = @($given | Select-Object -SkipLast 1) }
    $command = $given | Where-Object { $names.ContainsKey($_) } | Select-Object -First 1
    $table = if ($word -like '-*') { $options["$command"] } elseif (-not $command) { $names } else { @{} }
    $last = if ($given.Count -gt 0 -and $given[-1] -like '-*') { $given[-1] } else { '' }
    $found = if ($command -and $word -notlike '-*') { $values["$command $last"] }
    if ($found -is [scriptblock]) { $found = & $found }
    foreach ($value in $found) { $table[$value] = $value }
    $table.GetEnumerator() | Where-Object { $_.Key -like "$word*" } | Sort-Object Key | ForEach-Object {
        [System.Management.Automation.CompletionResult]::new($_.Key, $_.Key, 'ParameterValue', $_.Value)
    }
}
