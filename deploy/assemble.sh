#!/bin/sh
# What the image adds to its base, from the packed tarball: assemble.sh TARBALL ROOT. Runs in the Dockerfile and in the test of the image.
set -eu
tarball=$(realpath "$1")
root=$2
package=/opt/cnb-load/node_modules/cnb-load

mkdir -p "$root/opt/cnb-load" "$root/usr/local/bin" "$root/results"
# Results are the user's: "nonroot" of the distroless images.
chown 65532:65532 "$root/results"
# Nothing is compiled: the tarball carries the addon. The charts of HTML reports are drawn where the results are looked at.
npm install --prefix "$root/opt/cnb-load" --omit=optional --omit=dev --ignore-scripts --no-audit --no-fund "$tarball"
# Neither is needed where nothing is compiled.
rm -rf "$root$package/native" "$root/opt/cnb-load/node_modules/node-addon-api"
for name in cnb-load:main cnb-netperf:netperf-bin cnb-netserver:netserver-bin; do
  script=$package/dist/cli/${name#*:}.js
  # The image has no /usr/bin/env.
  sed -i '1s|^#!.*|#!/nodejs/bin/node|' "$root$script"
  ln -s "$script" "$root/usr/local/bin/${name%:*}"
done
