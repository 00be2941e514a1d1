# Images made FROM scratch, of programs that are on this machine; read by the scripts that make images.
# shellcheck shell=bash

# stage FOLDER PROGRAM...: copies programs to /bin of the image, and the libraries that they load to where they look for them.
stage() {
  local folder=$1 program library
  shift
  mkdir -p "$folder/bin" "$folder/etc" "$folder/tmp"
  chmod 1777 "$folder/tmp"
  echo 'bigtix:x:10001:10001::/tmp:/bin/false' >"$folder/etc/passwd"
  echo 'bigtix:x:10001:' >"$folder/etc/group"
  for program in "$@"; do
    install -m 755 "$(readlink -f "$program")" "$folder/bin/$(basename "$program")"
    while read -r library; do
      install -D -m 755 "$(readlink -f "$library")" "$folder$library"
    done < <(libraries "$program")
  done
}

# Prints nothing for a static program, of which ldd says that it is not dynamic.
libraries() { { ldd "$(readlink -f "$1")" 2>/dev/null || true; } | grep -o '/[^ ]*' | sort -u; }

# staged_image NAME:TAG FOLDER PROGRAM: the folder as an image that runs /bin/PROGRAM as user 10001.
staged_image() {
  local name=$1 folder=$2 program=$3
  cat >"$folder.Dockerfile" <<END
FROM scratch
COPY . /
ENV PATH=/bin
USER 10001:10001
ENTRYPOINT ["/bin/$program"]
END
  "$HERE/image.sh" "$name" "$folder.Dockerfile" "$folder"
}
