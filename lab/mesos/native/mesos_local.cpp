// mesos-local: a real Mesos 1.11.0 master and MESOS_NUM_SLAVES real agents in one process, which hundreds of them fit into.
//
// The library has this for tests of schedulers: a driver whose master is called "local" starts all of them. Ours lets go of
// it as soon as it has registered. All flags, those of libprocess too, come from the environment.
#include "launcher.hpp"

namespace google {
namespace protobuf {
struct MessageLite {
  bool ParseFromString(const std::string& data);
};
}  // namespace protobuf
}  // namespace google

namespace mesos {
class FrameworkID;
class Offer;
class OfferID;
class TaskStatus;
class ExecutorID;
class SlaveID;
class SchedulerDriver;
enum Status : int;

class FrameworkInfo {
 public:
  FrameworkInfo();
  char rest[4096];
};

class Scheduler {  // the order is that of the virtual table
 public:
  virtual ~Scheduler() {}
  virtual void registered(SchedulerDriver*, const FrameworkID&, const MasterInfo&) = 0;
  virtual void reregistered(SchedulerDriver*, const MasterInfo&) = 0;
  virtual void disconnected(SchedulerDriver*) = 0;
  virtual void resourceOffers(SchedulerDriver*, const std::vector<Offer>&) = 0;
  virtual void offerRescinded(SchedulerDriver*, const OfferID&) = 0;
  virtual void statusUpdate(SchedulerDriver*, const TaskStatus&) = 0;
  virtual void frameworkMessage(SchedulerDriver*, const ExecutorID&, const SlaveID&, const std::string&) = 0;
  virtual void slaveLost(SchedulerDriver*, const SlaveID&) = 0;
  virtual void executorLost(SchedulerDriver*, const ExecutorID&, const SlaveID&, int) = 0;
  virtual void error(SchedulerDriver*, const std::string& message) = 0;
};

class MesosSchedulerDriver {
 public:
  MesosSchedulerDriver(Scheduler* scheduler, const FrameworkInfo& framework, const std::string& master);
  Status start();
  Status stop(bool failover);
  char rest[16384];
};
}  // namespace mesos

using namespace mesos;

static MesosSchedulerDriver* driver;

struct Starter : Scheduler {
  void registered(SchedulerDriver*, const FrameworkID&, const MasterInfo&) override { driver->stop(false); }
  void reregistered(SchedulerDriver*, const MasterInfo&) override {}
  void disconnected(SchedulerDriver*) override {}
  void resourceOffers(SchedulerDriver*, const std::vector<Offer>&) override {}
  void offerRescinded(SchedulerDriver*, const OfferID&) override {}
  void statusUpdate(SchedulerDriver*, const TaskStatus&) override {}
  void frameworkMessage(SchedulerDriver*, const ExecutorID&, const SlaveID&, const std::string&) override {}
  void slaveLost(SchedulerDriver*, const SlaveID&) override {}
  void executorLost(SchedulerDriver*, const ExecutorID&, const SlaveID&, int) override {}
  void error(SchedulerDriver*, const std::string& message) override { FAIL << message; }
};

int main() {
  process::initialize(
      std::string("master"), std::string("mesos-master-readwrite"), std::string("mesos-master-readonly"));
  auto* info = new FrameworkInfo();
  // user root (field 1), name starter (field 2)
  reinterpret_cast<google::protobuf::MessageLite*>(info)->ParseFromString("\x0a\x04root\x12\x07starter");
  driver = new (zeroed<void>()) MesosSchedulerDriver(new Starter, *info, "local");
  driver->start();
  for (;;) pause();
}
