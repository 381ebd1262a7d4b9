# Puts the Deskhand worker on this computer and pairs it with the hub this came from:
#   & ([scriptblock]::Create((irm @HUB@/worker.ps1))) CODE [-Service] [-Folder DIR] [-Name NAME]
# For Windows PowerShell 5.1 and PowerShell 7. Half a download does not parse, and runs nothing.
param(
    [string]$Code = '',
    [switch]$Service,
    [string[]]$Folder = @(),
    [string]$Name = '',
    [switch]$Slim,
    [switch]$Again,
    [switch]$Yes
)

& {
    $ErrorActionPreference = 'Stop'
    $ProgressPreference = 'SilentlyContinue'  # its bar makes downloads ten times slower
    $hub = '@HUB@'
    $trouble = '@TROUBLE@'
    $mending = '@MENDING@'
    $frozen = '@FROZEN@'
    $wheel = -split '@WHEEL@'
    $lock = if ($Slim) { -split '@LOCK_SLIM@' } else { -split '@LOCK_ML@' }

    function Get-Checked([string]$File, [string]$Place, [string]$Sum) {
        Invoke-WebRequest -UseBasicParsing -Uri "$hub/download/$File" -OutFile $Place
        $got = (Get-FileHash -Algorithm SHA256 -LiteralPath $Place).Hash.ToLowerInvariant()
        if ($got -ne $Sum) {
            throw "$File did not arrive as the hub sent it; nothing was installed. Try again."
        }
    }

    function Assert-Ended([string]$What) {
        if ($LASTEXITCODE -ne 0) { throw $What }
    }

    if ($trouble) { throw "$trouble $mending" }
    if ($Code -and $Code -notmatch '^[A-Za-z]{4}-?[A-Za-z]{4}$') {
        throw "'$Code' is not a code; one looks like BCDF-GHJK."
    }
    # Windows PowerShell 5.1 may still offer old TLS only.
    [Net.ServicePointManager]::SecurityProtocol =
        [Net.ServicePointManager]::SecurityProtocol -bor [Net.SecurityProtocolType]::Tls12

    $arch = if ($env:PROCESSOR_ARCHITECTURE -eq 'ARM64') { 'aarch64' } else { 'x86_64' }
    $row = $frozen -split "`n" | Where-Object { $_.StartsWith("windows-$arch ") } | Select-Object -First 1
    $root = Join-Path $env:LOCALAPPDATA 'deskhand\program'
    if ($row) {
        $version, $file, $sum = (-split $row)[1..3]
        $id = "$version-$($sum.Substring(0, 8))"
        $what = "the self-contained worker $version (needs no Python)"
    } else {
        $python = Get-Command py, python3, python -ErrorAction SilentlyContinue | Where-Object {
            & $_.Source -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>$null
            $LASTEXITCODE -eq 0
        } | Select-Object -First 1
        if (-not $python) {
            throw 'This computer has no Python 3.11 or newer. Install it from python.org, then try again.'
        }
        $id = "$($wheel[0].Split('-')[1])-$($wheel[1].Substring(0, 8))-$($lock[1].Substring(0, 4))"
        $what = 'the worker and its packages in a Python environment of their own'
    }
    $place = Join-Path $root $id

    Write-Host "Deskhand: this computer becomes a worker of $hub."
    Write-Host "  Into ${place}: $what."
    if ($Service) { Write-Host '  It starts by itself from now on.' }
    Write-Host '  Files, models and keys stay on this computer. No administrator is needed.'
    if (-not $Yes -and (Read-Host 'Go on? [Y/n]') -notmatch '^(y.*)?$') { throw 'Stopped; nothing was changed.' }

    $done = Join-Path $place '.complete'
    if (-not (Test-Path -LiteralPath $done)) {
        $fresh = Join-Path $root ".fresh.$PID"
        New-Item -ItemType Directory -Force -Path $fresh | Out-Null
        try {
            if (Test-Path -LiteralPath $place) { Remove-Item -Recurse -Force -LiteralPath $place }
            if ($row) {
                Get-Checked $file "$fresh\worker.zip" $sum
                Expand-Archive -LiteralPath "$fresh\worker.zip" -DestinationPath $fresh
                Move-Item -LiteralPath "$fresh\deskhand" -Destination $place
            } else {
                Get-Checked $wheel[0] "$fresh\$($wheel[0])" $wheel[1]
                Get-Checked $lock[0] "$fresh\requirements.txt" $lock[1]
                & $python.Source -m venv $place
                Assert-Ended 'Python could not make a virtual environment.'
                Write-Host 'Installing its packages; this takes a minute or two ...'
                $pip = "$place\Scripts\python.exe"
                & $pip -m pip install -q --disable-pip-version-check --require-hashes --no-deps --only-binary ':all:' -r "$fresh\requirements.txt"
                Assert-Ended 'pip could not install the packages of the worker.'
                & $pip -m pip install -q --disable-pip-version-check --no-deps --no-index "$fresh\$($wheel[0])"
                Assert-Ended 'pip could not install the worker.'
            }
            New-Item -ItemType File -Path $done | Out-Null
        } finally {
            Remove-Item -Recurse -Force -LiteralPath $fresh -ErrorAction SilentlyContinue
        }
    }
    $program = if ($row) { "$place\deskhand.exe" } else { "$place\Scripts\deskhand.exe" }

    $status = & $program status 2>$null | Out-String
    if (-not $Again -and $status.Contains("($hub)")) {
        Write-Host "This computer is paired with $hub already; a code was not needed (-Again pairs anew)."
        if ($Service) { & $program autostart on }
    } else {
        $arguments = @('pair')
        if ($Code) { $arguments += $Code }
        $arguments += @('--hub', $hub)
        if ($Name) { $arguments += @('--name', $Name) }
        foreach ($one in $Folder) { $arguments += @('--folder', $one) }
        if ($Service) { $arguments += '--service' }
        & $program @arguments
        Assert-Ended "The worker is installed in $place, but it is not paired. Get a new code with /connect."
    }
    if (-not $Service) { Write-Host "Start it with: & '$program' --headless" }
}
