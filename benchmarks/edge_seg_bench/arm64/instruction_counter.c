/* A QEMU plugin that counts the instructions a guest program executes between marks.

   A mark is the system call prctl(MARK, label), which Linux refuses and programs never make. Each prints
   "mark LABEL COUNT" to QEMU's log (-d plugin -D FILE): the instructions since the mark before it.

   The declarations below are those of qemu-plugin.h that this needs; Debian 12 and Ubuntu ship QEMU without the
   header. They have been the same since plugins came with QEMU 4.2. API_VERSION must be one that the QEMU in use takes.
   Exact for one running thread: the count has no lock.

   https://www.qemu.org/docs/master/devel/tcg-plugins.html */
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define EXPORT __attribute__((visibility("default")))
#define MARK 0x65736567 /* "eseg" */
#define PRCTL 167       /* its number on aarch64 */

typedef uint64_t plugin_id;
struct qemu_plugin_tb;
enum register_access { NO_REGISTERS };
extern void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id, void (*)(plugin_id, struct qemu_plugin_tb *));
extern size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
extern void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *, void (*)(unsigned, void *),
                                                 enum register_access, void *);
extern void qemu_plugin_register_vcpu_syscall_cb(plugin_id, void (*)(plugin_id, unsigned, int64_t, uint64_t, uint64_t,
                                                                     uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
                                                                     uint64_t));
extern void qemu_plugin_outs(const char *);

EXPORT int qemu_plugin_version = API_VERSION;

static uint64_t executed, at_last_mark;

static void block_executed(unsigned vcpu, void *instructions) { executed += (uintptr_t)instructions; }

static void block_translated(plugin_id id, struct qemu_plugin_tb *block) {
    void *instructions = (void *)qemu_plugin_tb_n_insns(block);
    qemu_plugin_register_vcpu_tb_exec_cb(block, block_executed, NO_REGISTERS, instructions);
}

static void system_called(plugin_id id, unsigned vcpu, int64_t number, uint64_t option, uint64_t label, uint64_t a3,
                          uint64_t a4, uint64_t a5, uint64_t a6, uint64_t a7, uint64_t a8) {
    char line[64];
    if (number != PRCTL || option != MARK) return;
    snprintf(line, sizeof line, "mark %" PRIu64 " %" PRIu64 "\n", label, executed - at_last_mark);
    qemu_plugin_outs(line);
    at_last_mark = executed;
}

EXPORT int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv) {
    qemu_plugin_register_vcpu_tb_trans_cb(id, block_translated);
    qemu_plugin_register_vcpu_syscall_cb(id, system_called);
    return 0;
}
