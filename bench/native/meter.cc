// Runs a command, or several copies of it at once, and tells what they cost: CPU time and peak memory from wait4(2),
// which only a parent can ask for and which costs the measured processes nothing.
//
//   meter [-n COPIES] [-c CPU[,CPU...]] COMMAND [ARGUMENT...]
//
// When all have ended, one line of JSON goes to descriptor 3. Ends with 0 or the first copy's failure (128 + signal for
// a fatal signal).

#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

constexpr int kReport = 3;
constexpr int kUsage = 2;
constexpr int kCannotRun = 127;

struct Options {
  long copies = 1;
  cpu_set_t cpus;
  bool pinned = false;
};

struct Usage {
  double user_seconds = 0;
  double system_seconds = 0;
  long long peak_bytes = 0;  // sum of the copies' peaks
};

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

bool parse_cpus(const char* list, cpu_set_t& cpus) {
  CPU_ZERO(&cpus);
  while (*list != '\0') {
    char* end = nullptr;
    const long cpu = std::strtol(list, &end, 10);
    if (end == list || cpu < 0 || cpu >= CPU_SETSIZE || (*end != ',' && *end != '\0')) return false;
    CPU_SET(static_cast<size_t>(cpu), &cpus);
    list = *end == ',' ? end + 1 : end;
  }
  return CPU_COUNT(&cpus) > 0;
}

[[noreturn]] void run(const Options& options, char** command) {
  // A bench that is killed leaves nothing behind.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  signal(SIGINT, SIG_DFL);
  signal(SIGTERM, SIG_DFL);
  if (options.pinned && sched_setaffinity(0, sizeof options.cpus, &options.cpus) != 0) {
    std::perror("meter: sched_setaffinity");
    _exit(kCannotRun);
  }
  execvp(command[0], command);
  std::fprintf(stderr, "meter: %s: %s\n", command[0], std::strerror(errno));
  _exit(kCannotRun);
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  for (int option; (option = getopt(argc, argv, "+n:c:")) != -1;) {
    if (option == 'n' && (options.copies = std::atol(optarg)) > 0) continue;
    if (option == 'c' && (options.pinned = parse_cpus(optarg, options.cpus))) continue;
    optind = argc;
  }
  if (optind >= argc) {
    std::fputs("usage: meter [-n COPIES] [-c CPU[,CPU...]] COMMAND [ARGUMENT...]\n", stderr);
    return kUsage;
  }
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // The group is signalled as a whole; the meter stays to tell how the others ended.
  signal(SIGINT, [](int) {});
  signal(SIGTERM, [](int) {});

  for (long i = 0; i < options.copies; i++) {
    const pid_t child = fork();
    if (child == 0) {
      close(kReport);
      run(options, argv + optind);
    }
    if (child < 0) {
      std::perror("meter: fork");
      return kCannotRun;
    }
  }
  Usage usage;
  int code = 0;
  for (;;) {
    int status = 0;
    rusage one{};
    if (wait4(-1, &status, 0, &one) < 0) {
      if (errno == EINTR) continue;
      break;
    }
    usage.user_seconds += seconds(one.ru_utime);
    usage.system_seconds += seconds(one.ru_stime);
    usage.peak_bytes += static_cast<long long>(one.ru_maxrss) * 1024;
    if (code == 0) code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  }
  dprintf(kReport, "{\"userSeconds\":%.6f,\"systemSeconds\":%.6f,\"peakBytes\":%lld}\n", usage.user_seconds,
          usage.system_seconds, usage.peak_bytes);
  return code;
}
