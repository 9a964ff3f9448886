# shellcheck shell=bash
# Debian packages that driftd is built and tested with; sourced by scripts/demo and scripts/test.
#
#   install_packages build         what the binary needs
#   install_packages build test    the same, and what the tests need
#
# Asks nothing. Uses apt only when a package is missing, so a second run costs one dpkg-query.

build_packages=(
  ca-certificates ccache cmake g++ git ninja-build pkg-config
  libboost-dev libboost-math-dev libcli11-dev libcrypt-dev libcurl4-openssl-dev libeigen3-dev
  libfmt-dev libmariadb-dev libmariadb-dev-compat libmosquitto-dev libre2-dev librdkafka-dev
  libsimdjson-dev libspdlog-dev libsqlite3-dev libssl-dev libyaml-cpp-dev
  nlohmann-json3-dev prometheus-cpp-dev
)
test_packages=(
  libgmock-dev libgtest-dev librapidcheck-dev
  clang-14 clang-format-14 clang-tidy-14 libclang-rt-14-dev
  mariadb-server mosquitto mosquitto-clients prometheus prometheus-alertmanager
  default-jre-headless maven openssl strace systemd
  python3 python3-confluent-kafka python3-jsonschema python3-paho-mqtt python3-pymysql python3-pytest python3-yaml
)

say() { printf '== %s\n' "$*"; }

# Prints the packages among the arguments that are not installed.
missing_packages() {
  local installed
  installed=$(dpkg-query -W -f='${db:Status-Status} ${Package}\n' "$@" 2>/dev/null || true)
  printf '%s\n' "$@" | grep -vxF -f <(sed -n 's/^installed //p' <<<"$installed") || true
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif sudo -n true 2>/dev/null; then
    sudo -n "$@"
  elif command -v sudo >/dev/null; then
    echo "error: packages are missing, and sudo works with a password only, which is not asked for here;" \
      "run this as root, or 'sudo -v' first in the same terminal" >&2
    return 1
  else
    echo "error: not root and there is no sudo; as root run: $*" >&2
    return 1
  fi
}

# Debian starts a server right after installing it. The tests start their own, so while we install,
# policy-rc.d says no (exit 101); whatever policy there was comes back afterwards.
apt_without_starting_services() {
  as_root bash -c '
    set -e
    policy=/usr/sbin/policy-rc.d
    if [ -e $policy ] && ! grep -q driftd $policy; then mv $policy $policy.before-driftd; fi
    restore() {
      rm -f $policy
      if [ -e $policy.before-driftd ]; then mv $policy.before-driftd $policy; fi
    }
    trap restore EXIT
    printf "#!/bin/sh\n# While driftd installs packages: start nothing.\nexit 101\n" > $policy
    chmod 755 $policy
    export DEBIAN_FRONTEND=noninteractive
    options="-y -q -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3"
    apt-get $options update
    apt-get $options install --no-install-recommends "$@"
  ' apt "$@" </dev/null
}

install_packages() {
  local group wanted=()
  for group in "$@"; do
    local -n packages=${group}_packages
    wanted+=("${packages[@]}")
  done
  local missing
  mapfile -t missing < <(missing_packages "${wanted[@]}")
  if [ ${#missing[@]} -eq 0 ]; then
    say "packages ($*): all ${#wanted[@]} installed"
    return 0
  fi
  say "installing ${#missing[@]} packages with apt: ${missing[*]}"
  apt_without_starting_services "${missing[@]}"
}
