# not run here: signs programs where a certificate is given, and does nothing where none is.
param([Parameter(Mandatory)] [string[]] $Files)
$ErrorActionPreference = 'Stop'
if (-not $env:WINDOWS_CERTIFICATE) {
    Write-Output 'No certificate is given; nothing is signed.'
    exit 0
}
$certificate = Join-Path ([IO.Path]::GetTempPath()) 'deskhand.pfx'
try {
    [IO.File]::WriteAllBytes($certificate, [Convert]::FromBase64String($env:WINDOWS_CERTIFICATE))
    $tool = Get-ChildItem 'C:\Program Files (x86)\Windows Kits\10\bin\*\x64\signtool.exe' |
        Sort-Object FullName | Select-Object -Last 1
    & $tool.FullName sign /fd SHA256 /f $certificate /p $env:WINDOWS_CERTIFICATE_PASSWORD `
        /tr http://timestamp.digicert.com /td SHA256 $Files
    if ($LASTEXITCODE -ne 0) { throw "signtool ended with $LASTEXITCODE" }
} finally {
    Remove-Item -Force -ErrorAction SilentlyContinue $certificate
}
