terraform {
  required_version = ">= 1.9"

  required_providers {
    google = {
      source = "hashicorp/google"
      # One release, so that a plan means the same everywhere. test/terraform/provider-schema.json is of this one, too: what
      # else a new one wants is in docs/decisions/0020-terraform-7-and-rights-first.md.
      version = "7.45.0"
    }
  }
}

provider "google" {
  project = var.project
  region  = var.region

  # Some APIs, such as budgets, ask which project a request counts for. It is always this one.
  billing_project       = var.project
  user_project_override = true

  default_labels = { application = "order-saga" }
}
