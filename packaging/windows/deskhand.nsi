; The installer for Windows: for one person, without an administrator.
;   makensis -DVERSION=0.1.0 -DPAYLOAD=dist\deskhand -DOUTPUT=dist\Deskhand-0.1.0-x86_64.exe deskhand.nsi
; With -DPORTABLE_TEST a stand-in payload is packed; tests/packaging/test_nsis.py runs that under
; wine. /S installs silently, /AUTOSTART=1 with it starts Deskhand at login, /D=… sets the folder.

Unicode true
!ifdef TARGET
  Target ${TARGET}
!else
  Target amd64-unicode
!endif

!include "MUI2.nsh"
!include "FileFunc.nsh"
!include "LogicLib.nsh"

!ifndef VERSION
  !error "Say -DVERSION=…"
!endif
!ifndef PAYLOAD
  !error "Say -DPAYLOAD=the frozen folder"
!endif

!define NAME "Deskhand"
!define PROGRAM "deskhand.exe"    ; of the console: commands
!define WINDOWED "deskhandw.exe"  ; the tray app
!define UNINSTALL "Software\Microsoft\Windows\CurrentVersion\Uninstall\${NAME}"
!define RUN "Software\Microsoft\Windows\CurrentVersion\Run"
!define APPROVED "Software\Microsoft\Windows\CurrentVersion\Explorer\StartupApproved\Run"
!define SCHEME "Software\Classes\deskhand"

Name "${NAME}"
OutFile "${OUTPUT}"
RequestExecutionLevel user
InstallDir "$LOCALAPPDATA\Programs\${NAME}"
InstallDirRegKey HKCU "${UNINSTALL}" "InstallLocation"
SetCompressor /SOLID lzma
ManifestDPIAware true
ManifestSupportedOS Win10
BrandingText "${NAME} ${VERSION}"

VIProductVersion "${VERSION}.0"
VIAddVersionKey "ProductName" "${NAME}"
VIAddVersionKey "ProductVersion" "${VERSION}"
VIAddVersionKey "FileVersion" "${VERSION}"
VIAddVersionKey "FileDescription" "${NAME} installer"
VIAddVersionKey "CompanyName" "${NAME} contributors"
VIAddVersionKey "LegalCopyright" "MIT licensed"

!ifdef ICON
  !define MUI_ICON "${ICON}"
  !define MUI_UNICON "${ICON}"
!endif
!define MUI_ABORTWARNING
!define MUI_FINISHPAGE_RUN "$INSTDIR\${WINDOWED}"
!define MUI_FINISHPAGE_RUN_TEXT "$(OpenNow)"
!insertmacro MUI_PAGE_WELCOME
!insertmacro MUI_PAGE_DIRECTORY
!define MUI_COMPONENTSPAGE_SMALLDESC
!insertmacro MUI_PAGE_COMPONENTS
!insertmacro MUI_PAGE_INSTFILES
!insertmacro MUI_PAGE_FINISH
!insertmacro MUI_UNPAGE_CONFIRM
!insertmacro MUI_UNPAGE_INSTFILES
!insertmacro MUI_LANGUAGE "English"
!insertmacro MUI_LANGUAGE "Russian"

LangString OpenNow ${LANG_ENGLISH} "Open Deskhand now"
LangString OpenNow ${LANG_RUSSIAN} "Открыть Deskhand"
LangString StartAtLogin ${LANG_ENGLISH} "Start at login"
LangString StartAtLogin ${LANG_RUSSIAN} "Запускать при входе в систему"
LangString StillRuns ${LANG_ENGLISH} "Deskhand still runs. Quit it in its menu in the tray, then press Retry."
LangString StillRuns ${LANG_RUSSIAN} "Deskhand ещё работает. Завершите его в меню значка в трее и нажмите «Повторить»."
LangString NotThere ${LANG_ENGLISH} "This folder holds other files, too. Only those of Deskhand were removed."
LangString NotThere ${LANG_RUSSIAN} "В этой папке есть и другие файлы. Удалены только файлы Deskhand."

!macro EndRunning un
; Ask the one that runs to quit; its files cannot be replaced while they are in use.
Function ${un}EndRunning
  again:
  IfFileExists "$INSTDIR\${PROGRAM}" 0 gone
  nsExec::Exec /TIMEOUT=20000 '"$INSTDIR\${PROGRAM}" quit'
  Pop $0
  ; What is in use can be neither written nor renamed.
  ClearErrors
  IfFileExists "$INSTDIR\${WINDOWED}" 0 gone
  Rename "$INSTDIR\${WINDOWED}" "$INSTDIR\${WINDOWED}.old"
  IfErrors 0 free
    MessageBox MB_RETRYCANCEL|MB_ICONEXCLAMATION "$(StillRuns)" /SD IDCANCEL IDRETRY again
    SetErrorLevel 2
    Abort
  free:
  Rename "$INSTDIR\${WINDOWED}.old" "$INSTDIR\${WINDOWED}"
  gone:
FunctionEnd
!macroend
!insertmacro EndRunning ""
!insertmacro EndRunning "un."

Section "${NAME}" SecProgram
  SectionIn RO
  Call EndRunning
  SetOutPath "$INSTDIR"
  ; An older version's libraries must not be found beside this one's.
  RMDir /r "$INSTDIR\_internal"
  File /r "${PAYLOAD}/*.*"
  WriteUninstaller "$INSTDIR\uninstall.exe"

  CreateShortcut "$SMPROGRAMS\${NAME}.lnk" "$INSTDIR\${WINDOWED}"

  WriteRegStr HKCU "${SCHEME}" "" "URL:Deskhand"
  WriteRegStr HKCU "${SCHEME}" "URL Protocol" ""
  WriteRegStr HKCU "${SCHEME}\DefaultIcon" "" '"$INSTDIR\${WINDOWED}",0'
  WriteRegStr HKCU "${SCHEME}\shell\open\command" "" '"$INSTDIR\${WINDOWED}" "%1"'

  WriteRegStr HKCU "${UNINSTALL}" "DisplayName" "${NAME}"
  WriteRegStr HKCU "${UNINSTALL}" "DisplayVersion" "${VERSION}"
  WriteRegStr HKCU "${UNINSTALL}" "DisplayIcon" "$INSTDIR\${WINDOWED}"
  WriteRegStr HKCU "${UNINSTALL}" "Publisher" "${NAME} contributors"
  WriteRegStr HKCU "${UNINSTALL}" "InstallLocation" "$INSTDIR"
  WriteRegStr HKCU "${UNINSTALL}" "UninstallString" '"$INSTDIR\uninstall.exe"'
  WriteRegStr HKCU "${UNINSTALL}" "QuietUninstallString" '"$INSTDIR\uninstall.exe" /S'
  WriteRegDWORD HKCU "${UNINSTALL}" "NoModify" 1
  WriteRegDWORD HKCU "${UNINSTALL}" "NoRepair" 1
  ${GetSize} "$INSTDIR" "/S=0K" $0 $1 $2
  WriteRegDWORD HKCU "${UNINSTALL}" "EstimatedSize" $0
SectionEnd

; Not ticked: nothing starts by itself that was not asked to.
Section /o "$(StartAtLogin)" SecAutostart
  WriteRegStr HKCU "${RUN}" "${NAME}" '"$INSTDIR\${WINDOWED}" --background'
SectionEnd

Function .onInit
  ${GetParameters} $0
  ClearErrors
  ${GetOptions} $0 "/AUTOSTART=" $1
  ${IfNot} ${Errors}
  ${AndIf} $1 == "1"
    !insertmacro SelectSection ${SecAutostart}
  ${EndIf}
FunctionEnd

Section "Uninstall"
  Call un.EndRunning
  Delete "$SMPROGRAMS\${NAME}.lnk"
  DeleteRegKey HKCU "${SCHEME}"
  DeleteRegKey HKCU "${UNINSTALL}"
  DeleteRegValue HKCU "${RUN}" "${NAME}"
  DeleteRegValue HKCU "${APPROVED}" "${NAME}"
  RMDir /r "$INSTDIR\_internal"
  Delete "$INSTDIR\deskhand.exe"
  Delete "$INSTDIR\deskhandw.exe"
  Delete "$INSTDIR\deskhand-job.exe"
  Delete "$INSTDIR\deskhand-hub.exe"
  Delete "$INSTDIR\uninstall.exe"
  ; Jobs, models and settings are the person's; they lie elsewhere and stay. So does whatever else
  ; somebody put into this folder.
  RMDir "$INSTDIR"
  IfFileExists "$INSTDIR\*.*" 0 empty
    MessageBox MB_OK|MB_ICONINFORMATION "$(NotThere)" /SD IDOK
  empty:
SectionEnd
