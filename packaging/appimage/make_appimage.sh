#!/bin/sh
# not run here: appimagetool and its runtime are downloads. Packs dist/Deskhand-VERSION-ARCH.AppImage
# from a frozen folder.
#
#   APPIMAGETOOL  the tool, https://github.com/AppImage/appimagetool
#   FROZEN        a folder made by packaging/freeze.py; frozen anew when it is not given
#   SIGN_KEY      a GPG key to sign with; optional
set -eu
cd "$(dirname "$0")/../.."

python=${PYTHON:-.venv/bin/python}
tool=${APPIMAGETOOL:-appimagetool}
arch=$(uname -m)
version=$("$python" -c 'import tomllib; print(tomllib.load(open("pyproject.toml", "rb"))["project"]["version"])')
image=dist/Deskhand-$version-$arch.AppImage

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
frozen=${FROZEN:-}
if [ -z "$frozen" ]; then
  frozen=$scratch/frozen
  PYTHONPATH=. "$python" packaging/freeze.py slim "$frozen"
fi

root=$scratch/Deskhand.AppDir
mkdir -p "$root/opt" "$root/usr/share/icons/hicolor/scalable/apps"
cp -a "$frozen" "$root/opt/deskhand"
PYTHONPATH=. "$python" packaging/icons.py "$scratch/icons"
cp "$scratch/icons/deskhand.svg" "$root/usr/share/icons/hicolor/scalable/apps/"
cp "$scratch/icons/deskhand-256.png" "$root/deskhand.png"
cp packaging/deb/deskhand.desktop "$root/"
cp packaging/appimage/AppRun "$root/AppRun"
chmod 755 "$root/AppRun"

mkdir -p dist
rm -f "$image"
set -- --no-appstream
[ -z "${SIGN_KEY:-}" ] || set -- "$@" --sign --sign-key "$SIGN_KEY"
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)} ARCH=$arch VERSION=$version \
  "$tool" "$@" "$root" "$image"
(cd dist && sha256sum "${image#dist/}" >"${image#dist/}.sha256")
echo "$image"
