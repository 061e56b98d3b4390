# Who read or wrote what, in Cloud Audit Logs. Firestore's are configured under the name of Datastore. For each of these
# services, this replaces what the project may have configured itself.
resource "google_project_iam_audit_config" "data_access" {
  for_each = toset(var.data_access_logs ? ["datastore.googleapis.com", "pubsub.googleapis.com", "secretmanager.googleapis.com"] : [])
  project  = var.project
  service  = each.key

  audit_log_config {
    log_type = "DATA_READ"
  }
  audit_log_config {
    log_type = "DATA_WRITE"
  }
}
