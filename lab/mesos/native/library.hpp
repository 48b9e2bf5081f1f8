// What the launchers use of libmesos 1.11.0, declared here because no Mesos header is at hand.
//
// Names and argument types give the mangled symbols. Only Option, Try and Error have a layout that both sides share;
// every other object is opaque: allocated oversized and zeroed, then touched through its exported functions only.
// All of it holds for exactly one build of the library, which the sha256 check of build.py guards.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iosfwd>
#include <map>
#include <memory>
#include <new>
#include <set>
#include <string>
#include <vector>

// ---- stout -------------------------------------------------------------------------------------------------------

template <typename T>
class Option {
 public:
  Option() : state(NONE) {}
  Option(const T& value_) : state(SOME), value(value_) {}
  Option(const Option& other) : state(other.state) {
    if (isSome()) new (&value) T(other.value);
  }
  Option& operator=(const Option&) = delete;
  ~Option() {
    if (isSome()) value.~T();
  }
  bool isSome() const { return state == SOME; }
  const T& get() const { return value; }

 private:
  enum State { SOME, NONE } state;
  union {
    T value;
  };
};

class Error {
 public:
  std::string message;
};

template <typename T, typename E = Error>
class Try {
 public:
  bool isError() const { return !data.isSome(); }
  const T& get() const { return data.get(); }
  const std::string& error() const { return failure.get().message; }

 private:
  Option<T> data;
  Option<E> failure;
};

class Nothing {};

class Duration {
 public:
  int64_t nanoseconds;
};

// Receives an object that the library returns through a hidden pointer; it is never destroyed.
struct Returned {
  alignas(16) char raw[4096];
  ~Returned();
};

template <typename T>
T* zeroed(size_t size = 1 << 16) {
  return static_cast<T*>(calloc(1, size));
}

namespace flags {
class Warning {
 public:
  std::string message;
};
class Warnings {
 public:
  std::vector<Warning> warnings;
};
class FlagsBase {
 public:
  virtual ~FlagsBase();
  Try<Warnings> load(
      const Option<std::string>& prefix, int argc, const char* const* argv, bool unknowns, bool duplicates);
  Try<Warnings> load(
      const std::map<std::string, std::string>& values, bool unknowns, const Option<std::string>& prefix);
  std::string usage(const Option<std::string>& message) const;
  std::map<std::string, std::string> buildEnvironment(const Option<std::string>& prefix) const;
  bool help;
  char rest[512];
};
}  // namespace flags

// ---- glog, protobuf, ZooKeeper, systemd ----------------------------------------------------------------------------

namespace google {
class LogMessage {
 public:
  LogMessage(const char* file, int line, int severity);
  ~LogMessage();
  std::ostream& stream();
  void Flush();

 private:
  char rest[256];
};

namespace protobuf {
class Message;
class TextFormat {
 public:
  static bool ParseFromString(const std::string& text, Message* out);
};
}  // namespace protobuf
}  // namespace google

namespace zookeeper {
struct Authentication {
  std::string scheme, credentials;
};
class URL {
 public:
  static Try<URL> parse(const std::string& url);
  Option<Authentication> authentication;
  std::string servers, path;
};
}  // namespace zookeeper

namespace systemd {
class Flags : public virtual ::flags::FlagsBase {
 public:
  Flags();
  virtual ~Flags();
};
bool exists();
Try<Nothing> initialize(const Flags& flags);
}  // namespace systemd

// ---- libprocess ----------------------------------------------------------------------------------------------------

namespace process {
class ProcessBase;
class UPID {
 public:
  ~UPID();
  bool operator<(const UPID&) const;
  char rest[1024];
};
class RateLimiter {
 public:
  RateLimiter(int permits, const Duration& duration);
};
template <typename T>
class Owned {
  std::shared_ptr<void> data;
};
bool initialize(
    const Option<std::string>& delegate, const Option<std::string>& readwrite, const Option<std::string>& readonly);
UPID spawn(ProcessBase* process, bool manage);
bool wait(const UPID& pid, const Duration& duration);
namespace ID {
std::string generate(const std::string& prefix);
}
namespace network {
namespace unix {
class Address;
}
namespace internal {
template <typename T>
class Socket {
  char rest[64];
};
}  // namespace internal
}  // namespace network
}  // namespace process

// ---- Mesos ---------------------------------------------------------------------------------------------------------

namespace mesos {
class ACLs {
 public:
  ACLs();
};
class Modules {
 public:
  Modules();
};
class MasterInfo {
 public:
  MasterInfo(const MasterInfo&);
  char rest[2048];
};
class Authorizer {
 public:
  static Try<Authorizer*> create(const std::string& name);
  static Try<Authorizer*> create(const ACLs& acls);
};
class SecretGenerator;
class SecretResolver {
 public:
  static Try<SecretResolver*> create(const Option<std::string>& name);
};
namespace allocator {
class Allocator;
}
namespace modules {
class ModuleManager {
 public:
  static Try<Nothing> load(const std::string& dir);
  static Try<Nothing> loadManifest(const Modules&);
};
}  // namespace modules

namespace log {
class Log {
 public:
  Log(int quorum, const std::string& path, const std::set<process::UPID>& pids, bool autoInitialize,
      const Option<std::string>& metricsPrefix);
  Log(int quorum, const std::string& path, const std::string& servers, const Duration& timeout,
      const std::string& znode, const Option<zookeeper::Authentication>& authentication, bool autoInitialize,
      const Option<std::string>& metricsPrefix);
};
}  // namespace log

namespace state {
class Storage;
class LogStorage {
 public:
  LogStorage(mesos::log::Log* log, size_t diffsBetweenSnapshots);
};
class InMemoryStorage {
 public:
  InMemoryStorage();
};
class State {
 public:
  void* vtable;
  Storage* storage;
};
}  // namespace state

namespace master {
namespace contender {
class MasterContender {
 public:
  static Try<MasterContender*> create(
      const Option<std::string>& zk, const Option<std::string>& module, const Option<Duration>& timeout);
};
}  // namespace contender
namespace detector {
class MasterDetector {
 public:
  static Try<MasterDetector*> create(
      const Option<std::string>& zk, const Option<std::string>& module, const Option<Duration>& timeout);
};
class StandaloneMasterDetector {
 public:
  void appoint(const Option<MasterInfo>& leader);
};
}  // namespace detector
}  // namespace master

namespace slave {
class ResourceEstimator {
 public:
  static Try<ResourceEstimator*> create(const Option<std::string>& type);
};
class QoSController {
 public:
  static Try<QoSController*> create(const Option<std::string>& type);
};
}  // namespace slave

namespace internal {
namespace build {
extern const std::string DATE, USER;
extern const Option<std::string> GIT_SHA, GIT_TAG;
}  // namespace build
class VersionProcess {
 public:
  VersionProcess();
};
class Files {
 public:
  Files(const Option<std::string>& realm, const Option<Authorizer*>& authorizer);
};
class HookManager {
 public:
  static Try<Nothing> initialize(const std::string& hooks);
};
class PendingFutureTracker;

namespace logging {
class Flags : public virtual flags::FlagsBase {
 public:
  Flags();
  virtual ~Flags();
  char rest[1024];
};
void initialize(const std::string& argv0, bool installFailureSignalHandler, const Option<Flags>& flags);
}  // namespace logging

namespace master {
class Flags : public virtual logging::Flags {
 public:
  Flags();
  virtual ~Flags();
};
class Registrar {
 public:
  Registrar(const Flags& flags, mesos::state::State* state, const Option<std::string>& realm);
};
class Master {
 public:
  Master(
      mesos::allocator::Allocator*, Registrar*, Files*, mesos::master::contender::MasterContender*,
      mesos::master::detector::MasterDetector*, const Option<Authorizer*>&,
      const Option<std::shared_ptr<process::RateLimiter>>&, const Flags&);
};
}  // namespace master

namespace slave {
class Flags : public virtual logging::Flags {
 public:
  Flags();
  virtual ~Flags();
};
class CSIServer;
class VolumeGidManager {
 public:
  static Try<VolumeGidManager*> create(const Flags& flags);
};
class Fetcher {
 public:
  explicit Fetcher(const Flags& flags);
};
class GarbageCollector {
 public:
  explicit GarbageCollector(const std::string& workDir);
};
class TaskStatusUpdateManager {
 public:
  explicit TaskStatusUpdateManager(const Flags& flags);
};
class Containerizer {
 public:
  static Try<Containerizer*> create(
      const Flags&, bool local, Fetcher*, GarbageCollector*, SecretResolver*, VolumeGidManager*,
      PendingFutureTracker*, CSIServer*);
};
class Slave {
 public:
  Slave(
      const std::string& id, const Flags&, mesos::master::detector::MasterDetector*, Containerizer*, Files*,
      GarbageCollector*, TaskStatusUpdateManager*, mesos::slave::ResourceEstimator*, mesos::slave::QoSController*,
      SecretGenerator*, VolumeGidManager*, PendingFutureTracker*, process::Owned<CSIServer>&&,
      const Option<process::network::internal::Socket<process::network::unix::Address>>&,
      const Option<Authorizer*>&);
};

// a Subcommand: its constructor is inline in Mesos' headers, the members below are exported
class MesosContainerizerLaunch {
 public:
  struct Flags : public virtual ::flags::FlagsBase {
    Flags();
    virtual ~Flags();
  };
  int execute();
  ::flags::FlagsBase* getFlags();
};
class NetworkCniIsolatorSetup {
 public:
  NetworkCniIsolatorSetup();
  int execute();
  ::flags::FlagsBase* getFlags();
};
}  // namespace slave
}  // namespace internal
}  // namespace mesos

// Named by symbol, because spelling their types would need far more declarations.
void constructDrfAllocator(void* self) asm(
    "_ZN5mesos8internal6master9allocator14MesosAllocator"
    "INS2_28HierarchicalAllocatorProcessINS2_9DRFSorterES5_EEEC1Ev");
Returned createAuthorizationCallbacks(mesos::Authorizer*) asm(
    "_ZN5mesos13authorization28createAuthorizationCallbacksB5cxx11EPNS_10AuthorizerE");
void setAuthorizationCallbacks(const Returned&) asm(
    "_ZN7process4http13authorization12setCallbacksE"
    "RK7hashmapINSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE"
    "St8functionIFNS_6FutureIbEENS0_7RequestE6OptionINS0_14authentication9PrincipalEEEE"
    "St4hashIS8_ESt8equal_toIS8_EE");
void constructProcessBase(void* self, const std::string& id) asm(
    "_ZN7process11ProcessBaseC1ERKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE");
extern char masterInfoVtable[] asm("_ZTVN5mesos10MasterInfoE");
extern void* processBaseVtable[] asm("_ZTVN7process11ProcessBaseE");
extern char trackerTypeinfo[] asm("_ZTIN5mesos8internal27PendingFutureTrackerProcessE");
