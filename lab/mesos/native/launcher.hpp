// What the master's and the agent's launcher have in common: flags, logging, libprocess, modules, authorizer.
#pragma once
#include <sys/stat.h>
#include <unistd.h>

#include <cctype>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <initializer_list>
#include <iostream>
#include <sstream>

#include "library.hpp"

extern "C" {  // the library was linked as a Python extension module, which refers to these and never uses them here
void *PyExc_Exception, *PyExc_TypeError;
char _Py_NoneStruct[256];
}

#define LOG_INFO google::LogMessage("launcher", __LINE__, 0).stream()
#define LOG_WARNING google::LogMessage("launcher", __LINE__, 1).stream()

struct Failure {  // logs what is streamed into it, then ends the process as Mesos' own EXIT does
  google::LogMessage message;
  explicit Failure(int line) : message("launcher", line, 2) { message.stream() << "EXIT with status 1: "; }
  ~Failure() {
    message.Flush();
    _exit(1);
  }
};
#define FAIL Failure(__LINE__).message.stream()

template <typename T>
T required(const Try<T>& result, const char* what) {
  if (result.isError()) FAIL << what << ": " << result.error();
  return result.get();
}

// ---- values of flags -----------------------------------------------------------------------------------------------

// every loaded flag as text, by its lower-case name; a flag that is not set and has no default is absent
struct Values : std::map<std::string, std::string> {
  bool has(const char* name) const { return count(name) != 0; }
  std::string text(const char* name) const {
    auto found = find(name);
    return found == end() ? "" : found->second;
  }
  Option<std::string> option(const char* name) const {
    return has(name) ? Option<std::string>(text(name)) : Option<std::string>();
  }
  bool enabled(const char* name) const { return text(name) == "true"; }
};

inline Values valuesOf(const flags::FlagsBase& flags) {
  Values values;
  for (const auto& [variable, value] : flags.buildEnvironment(Option<std::string>())) {
    std::string name;
    for (unsigned char c : variable) name += static_cast<char>(tolower(c));
    values[name] = value;
  }
  return values;
}

inline void trimRight(std::string* text) {
  while (!text->empty() && isspace(static_cast<unsigned char>(text->back()))) text->pop_back();
}

inline int64_t parseDuration(const std::string& text) {
  static const std::map<std::string, double> nanoseconds = {
      {"ns", 1},       {"us", 1e3},      {"ms", 1e6},       {"secs", 1e9},
      {"mins", 60e9},  {"hrs", 3600e9},  {"days", 86400e9}, {"weeks", 604800e9}};
  char* unit;
  const double amount = strtod(text.c_str(), &unit);
  auto factor = nanoseconds.find(unit);
  return unit == text.c_str() || factor == nanoseconds.end() ? -1 : static_cast<int64_t>(amount * factor->second);
}

// --zk and --master may be given as file:///path, which the flags hand over as a plain path
inline Option<std::string> urlOrFile(const Values& values, const char* name) {
  const std::string text = values.text(name);
  if (text.empty() || text[0] != '/') return values.option(name);
  std::ifstream file(text);
  if (!file) FAIL << "Error reading file '" << text << "': No such file or directory";
  std::stringstream content;
  content << file.rdbuf();
  std::string url = content.str();
  trimRight(&url);
  return url;
}

template <typename F>
Values loadFlags(F* flags, const char* program, int argc, char** argv) {
  const Option<std::string> prefix(std::string("MESOS_"));
  Try<flags::Warnings> loaded = flags->flags::FlagsBase::load(prefix, argc, argv, false, false);
  if (flags->help) {
    std::cout << flags->usage(Option<std::string>()) << std::endl;
    _exit(0);
  }
  Values values = valuesOf(*flags);
  if (values.enabled("version")) {
    std::cout << "mesos 1.11.0" << std::endl;
    _exit(0);
  }
  if (loaded.isError()) {
    std::cerr << loaded.error() << "\n\nSee `" << program << " --help` for a list of supported flags." << std::endl;
    _exit(1);
  }
  // logging wants an Option of its own flags: state 0 means SOME, and the value follows at offset 8
  auto* some = zeroed<Option<mesos::internal::logging::Flags>>();
  auto* logging = new (reinterpret_cast<char*>(some) + 8) mesos::internal::logging::Flags();
  logging->flags::FlagsBase::load(prefix, argc, argv, true, false);
  mesos::internal::logging::initialize(argv[0], true, *some);
  for (const auto& warning : loaded.get().warnings) LOG_WARNING << warning.message;
  return values;
}

inline void refuse(const Values& values, std::initializer_list<const char*> names) {
  for (const char* name : names)
    if (values.has(name) && values.text(name) != "false") FAIL << "--" << name << " is not supported by this build";
}

// a flag whose value is a protobuf message comes back from the flags in protobuf's text format
template <typename T>
T* messageFlag(const Values& values, const char* name) {
  T* message = new (zeroed<void>()) T();
  auto* base = reinterpret_cast<google::protobuf::Message*>(message);
  if (!google::protobuf::TextFormat::ParseFromString(values.text(name), base))
    FAIL << "Failed to parse the value of --" << name << ": " << values.text(name);
  return message;
}

// ---- libprocess ----------------------------------------------------------------------------------------------------

// ProcessBase is a virtual base: its offset is the word before "offset to top" in the vtable
template <typename T>
process::ProcessBase* processBase(T* object) {
  const ptrdiff_t offset = (*reinterpret_cast<ptrdiff_t**>(object))[-3];
  return reinterpret_cast<process::ProcessBase*>(reinterpret_cast<char*>(object) + offset);
}

template <typename T>
process::UPID* spawn(T* object, bool manage) {
  return new (zeroed<void>()) process::UPID(process::spawn(processBase(object), manage));
}

template <typename T>
[[noreturn]] void serve(T* object) {
  process::wait(*spawn(object, false), Duration{-1000000000});
  fflush(nullptr);
  _exit(0);
}

inline std::string discoverIp(const std::string& command) {
  FILE* pipe = popen(command.c_str(), "r");
  char output[128] = "";
  const size_t size = pipe ? fread(output, 1, sizeof(output) - 1, pipe) : 0;
  if (!pipe || pclose(pipe) != 0) FAIL << "Failed to execute '" << command << "'";
  std::string ip(output, size);
  trimRight(&ip);
  return ip;
}

inline void startLibprocess(
    const Values& values, const std::string& id, const char* readwriteRealm, const char* readonlyRealm) {
  if (values.has("ip_discovery_command") && values.has("ip"))
    FAIL << "Only one of `--ip` or `--ip_discovery_command` should be specified";
  if (values.has("ip_discovery_command"))
    setenv("LIBPROCESS_IP", discoverIp(values.text("ip_discovery_command")).c_str(), 1);
  for (const char* name : {"ip", "ip6", "port", "advertise_ip", "advertise_port", "memory_profiling"}) {
    std::string variable = "LIBPROCESS_";
    for (const char* c = name; *c; c++) variable += static_cast<char>(toupper(*c));
    if (values.has(name)) setenv(variable.c_str(), values.text(name).c_str(), 1);
  }
  using namespace mesos::internal;
  LOG_INFO << "Build: " << build::DATE << " by " << build::USER;
  LOG_INFO << "Version: 1.11.0";
  if (build::GIT_TAG.isSome()) LOG_INFO << "Git tag: " << build::GIT_TAG.get();
  if (build::GIT_SHA.isSome()) LOG_INFO << "Git SHA: " << build::GIT_SHA.get();
  if (!process::initialize(id, std::string(readwriteRealm), std::string(readonlyRealm)))
    FAIL << "libprocess was initialized before the launcher did it";
  spawn(new (zeroed<void>()) VersionProcess(), true);
}

// ---- modules, authorizer -------------------------------------------------------------------------------------------

inline void loadModules(const Values& values) {
  using mesos::modules::ModuleManager;
  if (values.has("modules") && values.has("modules_dir"))
    FAIL << "Only one of --modules or --modules_dir should be specified";
  if (values.has("modules_dir")) required(ModuleManager::load(values.text("modules_dir")), "Error loading modules");
  if (values.has("modules"))
    required(ModuleManager::loadManifest(*messageFlag<mesos::Modules>(values, "modules")), "Error loading modules");
  if (values.has("hooks"))
    required(mesos::internal::HookManager::initialize(values.text("hooks")), "Error installing hooks");
}

// none unless a module is named or ACLs are given
inline Option<mesos::Authorizer*> makeAuthorizer(const Values& values, const std::string& name) {
  if (name == "local" && !values.has("acls")) return {};
  LOG_INFO << "Creating '" << name << "' authorizer";
  auto* authorizer = required(
      name == "local" ? mesos::Authorizer::create(*messageFlag<mesos::ACLs>(values, "acls"))
                      : mesos::Authorizer::create(name),
      "Could not create the authorizer");
  auto* callbacks = new (zeroed<void>(sizeof(Returned))) Returned(createAuthorizationCallbacks(authorizer));
  setAuthorizationCallbacks(*callbacks);
  return authorizer;
}
