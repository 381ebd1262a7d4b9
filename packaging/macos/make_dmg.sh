#!/bin/sh
# not run here: it needs a Mac. Freezes Deskhand.app, signs it, packs dist/Deskhand-VERSION-ARCH.dmg,
# has it notarised by Apple and staples the ticket to it.
#
#   DESKHAND_CODESIGN_IDENTITY  "Developer ID Application: …"; without it nothing is signed
#   DESKHAND_NOTARY_PROFILE     a profile kept by `xcrun notarytool store-credentials`; optional
#   DESKHAND_BUILD              slim (the default) or ml
set -eu
cd "$(dirname "$0")/../.."

python=${PYTHON:-.venv/bin/python}
variant=${DESKHAND_BUILD:-slim}
identity=${DESKHAND_CODESIGN_IDENTITY:-}
profile=${DESKHAND_NOTARY_PROFILE:-}
version=$("$python" -c 'import tomllib; print(tomllib.load(open("pyproject.toml", "rb"))["project"]["version"])')
case $(uname -m) in arm64) arch=aarch64 ;; *) arch=x86_64 ;; esac
suffix=
[ "$variant" = slim ] || suffix=-$variant
image=dist/Deskhand$suffix-$version-$arch.dmg

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

PYTHONPATH=. "$python" packaging/icons.py packaging/icons
DESKHAND_BUILD=$variant PYTHONPATH=. "$python" -m PyInstaller --noconfirm \
  --distpath "$scratch/dist" --workpath "$scratch/work" build.spec
app=$scratch/dist/Deskhand.app
"$app/Contents/MacOS/deskhand" --help >/dev/null

if [ -n "$identity" ]; then
  # Inside out: libraries first, the programs with their rights, the bundle last.
  find "$app/Contents" -type f \( -name '*.dylib' -o -name '*.so' \) -print0 |
    xargs -0 codesign --force --options runtime --timestamp --sign "$identity"
  for program in deskhand deskhand-job deskhand-hub; do
    codesign --force --options runtime --timestamp --sign "$identity" \
      --entitlements packaging/macos/entitlements.plist "$app/Contents/MacOS/$program"
  done
  codesign --force --options runtime --timestamp --sign "$identity" \
    --entitlements packaging/macos/entitlements.plist "$app"
  codesign --verify --deep --strict "$app"
fi

mkdir -p dist "$scratch/image"
cp -R "$app" "$scratch/image/"
ln -s /Applications "$scratch/image/Applications"
rm -f "$image"
hdiutil create -volname Deskhand -srcfolder "$scratch/image" -fs HFS+ -format UDZO "$image"

if [ -n "$identity" ]; then
  codesign --timestamp --sign "$identity" "$image"
fi
if [ -n "$identity" ] && [ -n "$profile" ]; then
  xcrun notarytool submit "$image" --keychain-profile "$profile" --wait
  xcrun stapler staple "$image"
fi
shasum -a 256 "$image" | sed "s|dist/||" >"$image.sha256"
echo "$image"
